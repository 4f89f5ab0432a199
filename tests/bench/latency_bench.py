"""tests/bench/latency_bench.py STSCTL [DOMAINS]: plans and applies a fleet, 1,000 domains in as many zones unless told
otherwise, at Cloudflare's and Route 53's emulators, which take 50 ms for each answer and know no rate. For each number
of requests in flight it prints the seconds of the whole command and the least they could be: the journal's requests, so
many at a time."""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "emulators"))
import running

LATENCY = 0.05


class Cloudflare:
    name, script, token = "cloudflare", "cloudflare.py", "token-of-no-worth-for-benchmarks-00000000"
    env = {"CLOUDFLARE_API_TOKEN": token}

    @staticmethod
    def state(names):
        return {"tokens": [{"value": Cloudflare.token}],
                "zones": [{"name": name, "records": [{"type": "MX", "name": name, "content": "mail.example.net",
                                                      "priority": 10, "ttl": 3600}]} for name in names]}

    @staticmethod
    def settings(port):
        return f"provider: cloudflare, endpoint: 'http://127.0.0.1:{port}/client/v4', token: '${{env:CLOUDFLARE_API_TOKEN}}'"


class Route53:
    name, script = "route53", "route53.py"
    env = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s"}

    @staticmethod
    def state(names):
        return {"zones": [{"id": f"Z{i}", "name": name, "records": []} for i, name in enumerate(names)], "polls": 0,
                "identity": {"keys": [{"access_key": "AKIATEST", "secret_key": "s"}]}}

    @staticmethod
    def settings(port):
        return f"provider: route53, endpoint: 'http://127.0.0.1:{port}'"


def configuration(folder, settings, names):
    (folder / "www").mkdir()
    lines = ["version: 1", f"dns: {{account: {{{settings}}}}}",
             "hosts: {web: {provider: directory, root: www, address: {cname: web.example.net}}}",
             "defaults: {dns: account, host: web, policy: {mode: testing, max_age: 1d, mx: [mail.example.net]},",
             "           tlsrpt: {rua: ['mailto:tls@example.net']}}", "domains:"]
    lines += [f"  {name}: {{}}" for name in names]
    (folder / "stsctl.yaml").write_text("\n".join(lines) + "\n")


def measure(stsctl, service, concurrency, names):
    emulator = running.Emulator(service.script, "--latency", str(LATENCY))
    try:
        emulator.control("PUT", "state", service.state(names))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            configuration(folder, f"{service.settings(emulator.port)}, rate: none, concurrency: {concurrency}", names)
            environment = {"PATH": os.environ["PATH"], "HOME": name, "STSCTL_RESOLVER": "none", **service.env}
            for command in (["plan"], ["apply", "--yes"], ["plan"]):
                begin = time.monotonic()
                subprocess.run([stsctl, *command], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
                seconds = time.monotonic() - begin
                journal = emulator.control("DELETE", "journal")["requests"]
                least = LATENCY * math.ceil(len(journal) / concurrency)
                print(f"{service.name}, {concurrency} in flight, {command[0]}: {len(journal)} requests, "
                      f"{seconds:.2f} s, {seconds / least:.2f} times the least ({least:.2f} s)", flush=True)
    finally:
        emulator.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stsctl", type=pathlib.Path)
    parser.add_argument("domains", nargs="?", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, nargs="*", default=[4, 8, 16])
    options = parser.parse_args()
    names = [f"d{i:05}.example" for i in range(options.domains)]
    for service in (Cloudflare, Route53):
        for concurrency in options.concurrency:
            measure(options.stsctl.resolve(), service, concurrency, names)


if __name__ == "__main__":
    main()
