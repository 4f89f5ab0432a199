"""How fast `stsctl serve` is beside nginx: the same 10,000 policies, the same load, in turns.

    tests/bench/serve.py build/release/src/stsctl

Needs nginx, wrk and openssl. Every round measures each server for some seconds with wrk on the same
processors (2 threads, 64 keep-alive connections, hosts at random), nginx and stsctl one after the
other, in changing order. Printed are the medians of requests a second, of their ratio in a round and,
steadier on a busy machine, of the processor time that the server used for one request; then the memory
of stsctl with 10 domains and with all. Exits 1 when stsctl is more than 20 % slower in both, its memory
grows under load, or a domain takes more than 4 KiB of it.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
os.environ.setdefault("STSCTL", "")
os.environ.setdefault("STSCTL_SOURCE_DIR", ".")
import web  # noqa: E402

DOMAINS = 10_000
FEW = 10
SLOWER = 0.8  # of nginx, at least
GROWN = 4096  # KiB, at most
KIB_A_DOMAIN = 4  # at most

NGINX = """worker_processes 2; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  default_type "text/plain; charset=utf-8"; types {{ }}
  keepalive_requests 1000000000; tcp_nopush on; sendfile on;
  ssl_certificate {dir}/certificates/all.pem; ssl_certificate_key {dir}/certificates/all.key;
  client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp; fastcgi_temp_path {dir}/tmp;
  uwsgi_temp_path {dir}/tmp; scgi_temp_path {dir}/tmp;
  server {{
    listen 127.0.0.1:{plain} reuseport; listen 127.0.0.1:{tls} ssl reuseport;
    access_log {log};
    location = /.well-known/mta-sts.txt {{
      root {dir}/www/$host; add_header Cache-Control max-age=60; }}
    location / {{ return 404; }}
  }}
}}
"""

CONFIG = """version: 1
dns: {zones: {provider: zonefile, directory: .}}
hosts: {here: {provider: serve, endpoint: "http://127.0.0.1:1"}}
defaults: {dns: zones, host: here, policy: {mode: enforce, max_age: 2w}}
domains:
"""

# The same list of hosts for both servers.
HOSTS = """
local n = 0
request = function()
  n = (n * 1103515245 + 12345) % 2147483648
  return string.format("GET /.well-known/mta-sts.txt HTTP/1.1\\r\\nHost: mta-sts.d%05d.example\\r\\n\\r\\n",
                       n % 10000)
end
"""


def config(folder, domains):
    folder.mkdir(exist_ok=True)
    (folder / "stsctl.yaml").write_text(CONFIG + "".join(
        f"  d{i:05d}.example: {{policy: {{mx: [mail.d{i:05d}.example]}}}}\n" for i in range(domains)))
    return folder


def lay_out(folder):
    (folder / "tmp").mkdir()
    web.TestCa(folder / "ca").issue(folder / "certificates" / "all.pem",
                                    folder / "certificates" / "all.key", "*.example", "localhost")
    (folder / "hosts.lua").write_text(HOSTS)
    config(folder, DOMAINS)
    for i in range(DOMAINS):
        path = folder / "www" / f"mta-sts.d{i:05d}.example" / ".well-known" / "mta-sts.txt"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"version: STSv1\r\nmode: enforce\r\n" +
                         f"mx: mail.d{i:05d}.example\r\nmax_age: 1209600\r\n".encode())


def processes(pid):
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    return [pid, *map(int, children.split())]


def processor_seconds(pid):
    ticks = 0
    for one in processes(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{one}/status").read_text())[1])
               for one in processes(pid))


class Server:
    def __init__(self, name, pid, url):
        self.name, self.pid, self.url = name, pid, url
        self.rates, self.costs = [], []

    def measure(self, folder, seconds):
        before = processor_seconds(self.pid)
        out = subprocess.run(["wrk", "-t2", "-c64", f"-d{seconds}", "-s", folder / "hosts.lua",
                              self.url], capture_output=True, text=True, check=True).stdout
        spent = processor_seconds(self.pid) - before
        assert "Non-2xx" not in out and "Socket errors" not in out, out
        count = int(re.search(r"(\d+) requests in", out)[1])
        self.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]))
        self.costs.append(spent / count * 1e6)

    def rate(self):
        return statistics.median(self.rates)

    def cost(self):
        return statistics.median(self.costs)


def start(argv, folder, port):
    program = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def accepts():
        assert program.poll() is None, argv
        try:
            web.socket.create_connection(("127.0.0.1", port)).close()
            return True
        except OSError:
            return False
    web.wait_until(accepts, f"{argv[0]} answers")
    return program


def compare(folder, stsctl, scheme, log, rounds, seconds):
    """One row of the table; the ratios of speed and cost, and the memory grown in KiB."""
    plain, tls, own = web.free_port(), web.free_port(), web.free_port()
    (folder / "nginx.conf").write_text(NGINX.format(
        dir=folder, plain=plain, tls=tls, log=f"{folder}/nginx.log" if log else "off"))
    listen = ["--listen", f"127.0.0.1:{own}"] if scheme == "http" else [
        "--listen-tls", f"127.0.0.1:{own}", "--certificates", str(folder / "certificates"),
        "--default-certificate", "localhost"]  # wrk sends no name for an address
    nginx = start(["nginx", "-p", folder, "-c", folder / "nginx.conf"], folder, plain)
    serve = start([stsctl, "serve", *listen, "--threads", "2", "--access-log",
                   str(folder / "stsctl.log") if log else "off"], folder, own)
    try:
        path = "/.well-known/mta-sts.txt"
        left = Server("nginx", nginx.pid,
                      f"{scheme}://127.0.0.1:{plain if scheme == 'http' else tls}{path}")
        right = Server("stsctl", serve.pid, f"{scheme}://127.0.0.1:{own}{path}")
        for _ in range(2):
            right.measure(folder, seconds)  # every buffer has its size after this
        right.rates.clear(), right.costs.clear()
        before = resident_kib(serve.pid)
        for number in range(rounds):
            for server in (left, right) if number % 2 == 0 else (right, left):
                server.measure(folder, seconds)
        ratio = statistics.median(ours / theirs for ours, theirs in zip(right.rates, left.rates))
        grown = resident_kib(serve.pid) - before
        print(f"| {scheme}{', access log' if log else ''} | {left.rate():,.0f} | {right.rate():,.0f} "
              f"| {ratio:.2f} | {left.cost():.1f} | {right.cost():.1f} | {before / 1024:.0f} | {grown:+d} |", flush=True)
        return ratio, left.cost() / right.cost(), grown
    finally:
        for program in (nginx, serve):
            program.terminate()
            program.wait()


def memory(folder, stsctl, domains):
    """KiB of a server that has answered nothing but that it is there."""
    port = web.free_port()
    serve = start([stsctl, "serve", "--listen", f"127.0.0.1:{port}", "--threads", "2", "--access-log", "off"],
                  config(folder / str(domains), domains), port)
    try:
        return resident_kib(serve.pid)
    finally:
        serve.terminate()
        serve.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stsctl")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stsctl-bench-"))
    folder.chmod(0o755)
    try:
        lay_out(folder)
        print(time.strftime("%F"), "load", os.getloadavg()[0], "processors", os.cpu_count())
        print("| | nginx, requests/s | stsctl, requests/s | ratio | nginx, µs/request | stsctl, µs/request "
              "| stsctl, MiB | grown, KiB |\n|---|---|---|---|---|---|---|---|")
        good = True
        for scheme, log in (("http", False), ("http", True), ("https", False), ("https", True)):
            speed, cost, grown = compare(folder, os.path.abspath(options.stsctl), scheme, log,
                                         options.rounds, options.seconds)
            good = good and max(speed, cost) >= SLOWER and grown < GROWN
        few, many = (memory(folder, os.path.abspath(options.stsctl), domains) for domains in (FEW, DOMAINS))
        a_domain = (many - few) / (DOMAINS - FEW)
        print(f"\n{few / 1024:.1f} MiB with {FEW} domains, {many / 1024:.1f} MiB with {DOMAINS:,}: "
              f"{a_domain:.1f} KiB a domain")
        good = good and a_domain <= KIB_A_DOMAIN
        return 0 if good else 1
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
