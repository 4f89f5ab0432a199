"""tests/bench/verify_bench.py STSCTL [DOMAINS]: verifies domains, 1,000 unless told otherwise, each in a zone of its own,
at BIND, nginx and Postfix on this machine, 20 ms away: 10 ms each way before every datagram and every piece of a
stream. Prints the seconds and the peak memory of the whole command, the median of three. Needs root, as Postfix does."""

import argparse
import asyncio
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("STSCTL", "")
os.environ.setdefault("STSCTL_SOURCE_DIR", str(ROOT))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import name_servers
import postfix
import web

ONE_WAY = 0.01  # seconds
NAMES_A_CERTIFICATE = 100
RUNS = 3
# Of the mail servers; all lead to one Postfix.
ADDRESSES = [f"127.0.0.{number}" for number in range(1, 11)]
ZONE = """{zone}. 3600 IN SOA ns1.{zone}. hostmaster.{zone}. 1 3600 600 86400 300
{zone}. 3600 IN NS ns1.{zone}.
{zone}. 3600 IN MX 10 {label}.bench.example.
{zone}. 3600 IN TXT "v=spf1 mx -all"
ns1.{zone}. 3600 IN A 127.0.0.1
mta-sts.{zone}. 3600 IN A 127.0.0.1
_mta-sts.{zone}. 3600 IN TXT "v=STSv1; id=1;"
_smtp._tls.{zone}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls@example.net"
_dmarc.{zone}. 3600 IN TXT "v=DMARC1; p=reject"
"""
MAIL_ZONE = """bench.example. 3600 IN SOA ns1.bench.example. hostmaster.bench.example. 1 3600 600 86400 300
bench.example. 3600 IN NS ns1.bench.example.
ns1.bench.example. 3600 IN A 127.0.0.1
"""
SERVER = """  server {{ listen 127.0.0.1:{port} ssl; server_name {names}; ssl_certificate {chain}; ssl_certificate_key {key};
    location / {{ return 200 "version: STSv1\\r\\nmode: enforce\\r\\nmx: *.bench.example\\r\\nmax_age: 604800\\r\\n"; }} }}
"""


class Far:
    """Passes everything on to a port of this machine, late."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def streams(self, port):
        """A port of TCP in front of another."""
        async def deliver(pieces, writer):
            with contextlib.suppress(ConnectionError):
                while (entry := await pieces.get())[1]:
                    await asyncio.sleep(entry[0] - self.loop.time())
                    writer.write(entry[1])
            writer.close()

        async def pass_on(reader, writer):
            pieces = asyncio.Queue()
            delivery = self.loop.create_task(deliver(pieces, writer))
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(65536):
                    pieces.put_nowait((self.loop.time() + ONE_WAY, piece))
            pieces.put_nowait((0, b""))
            await delivery

        async def accept(reader, writer):
            await asyncio.sleep(2 * ONE_WAY)  # the handshake of TCP
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

        front = web.free_port()
        for address in ADDRESSES:
            self.call(asyncio.start_server(accept, address, front, backlog=4096))
        return front

    def datagrams(self, port):
        """A port of UDP in front of a name server's, which all who ask reach over one socket: each question gets an
        ID of its own on the way."""
        loop, asked = self.loop, {}

        class Back(asyncio.DatagramProtocol):
            def datagram_received(self, data, _):
                address, identity = asked.pop(data[:2], (None, None))
                if address:
                    loop.call_later(ONE_WAY, front.sendto, identity + data[2:], address)

        class Front(asyncio.DatagramProtocol):
            count = 0

            def datagram_received(self, data, address):
                self.count = (self.count + 1) % 65536
                identity = self.count.to_bytes(2, "big")
                asked[identity] = address, data[:2]
                loop.call_later(ONE_WAY, back.sendto, identity + data[2:])

        back, _ = self.call(loop.create_datagram_endpoint(Back, remote_addr=("127.0.0.1", port)))
        front, _ = self.call(loop.create_datagram_endpoint(Front, local_addr=("127.0.0.1", 0)))
        for one in (front, back):
            one.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        return front.get_extra_info("sockname")[1]


class Zones(name_servers.Bind):
    def prepare(self):
        for zone in self.zones:
            self.write(f"{zone}.zone", ZONE.format(zone=zone, label=zone.split(".")[0]))
        hosts = "".join(f"{zone.split('.')[0]}.bench.example. 3600 IN A {ADDRESSES[at % len(ADDRESSES)]}\n"
                        for at, zone in enumerate(self.zones))
        self.write("bench.example.zone", MAIL_ZONE + hosts)
        super().prepare()


def start_nginx(folder, authority, zones, cleanup):
    port = web.free_port()
    servers = "default_type text/plain; server_names_hash_max_size 65536;\n"
    for at in range(0, len(zones), NAMES_A_CERTIFICATE):
        names = [f"mta-sts.{zone}" for zone in zones[at:at + NAMES_A_CERTIFICATE]]
        chain, key = folder / f"{at}.pem", folder / f"{at}.key"
        authority.issue(chain, key, *names, days=30)
        servers += SERVER.format(port=port, names=" ".join(names), chain=chain, key=key)
    program = web.Program(web.nginx(folder, servers), folder)
    cleanup.callback(program.end)
    web.wait_until(lambda: name_servers.accepts(port), "nginx listens")
    return port


def run(command, env):
    begin = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError("\n".join(line for line in out.splitlines() if " fail " in line or ": fail" in line))
    return time.monotonic() - begin, usage.ru_maxrss / 1024, out.splitlines()[-1]


class Cleanup(contextlib.ExitStack):
    addCleanup = contextlib.ExitStack.callback


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stsctl", type=os.path.abspath)
    parser.add_argument("domains", type=int, nargs="?", default=1000)
    arguments = parser.parse_args()
    zones = [f"d{number}.example" for number in range(arguments.domains)]
    with Cleanup() as cleanup:
        folder = pathlib.Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        authority = web.TestCa(folder / "ca")
        authority.issue(folder / "mx.pem", folder / "mx.key", "*.bench.example", days=30)
        far = Far()
        mail = postfix.Postfix(cleanup, folder / "mx.pem", folder / "mx.key", limit=300)
        dns = far.datagrams(Zones(cleanup, [*zones, "bench.example"]).port)
        https = far.streams(start_nginx(folder, authority, zones, cleanup))
        smtp = far.streams(mail.port)
        env = {**os.environ, "STSCTL_RESOLVER": f"127.0.0.1:{dns}"}
        command = [arguments.stsctl, "verify", *zones, "--ca-file", authority.file, "--https-port", str(https),
                   "--smtp-port", str(smtp), "--dns-port", str(dns)]
        runs = [run(command, env) for _ in range(RUNS)]
        print(f"{statistics.median(one[0] for one in runs):.2f} s, {max(one[1] for one in runs):.0f} MiB; {runs[0][2]}")


if __name__ == "__main__":
    main()
