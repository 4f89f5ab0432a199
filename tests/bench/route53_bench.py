"""tests/bench/route53_bench.py STSCTL [DOMAINS]: plans (and with --apply applies) a fleet, 2,000 domains in as many
zones unless told otherwise, against the Route 53 emulator that enforces AWS's limit of an account, a bucket of 50
requests that 10 a second refill. Prints what it took: requests, seconds, refusals, and the share of the rate used."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "emulators"))
import running

CAPACITY, REFILL = 50, 10


def state(count):
    zones = [{"id": f"Z{i}", "name": f"d{i:05}.example", "records": [
        {"name": f"_mta-sts.d{i:05}.example", "type": "TXT", "ttl": 300, "values": ['"v=STSv1; id=1;"']}]}
        for i in range(count)]
    return {"zones": zones, "limit": {"capacity": CAPACITY, "refill": REFILL}, "polls": 0,
            "identity": {"keys": [{"access_key": "AKIATEST", "secret_key": "s"}]}}


def configuration(folder, port, count):
    (folder / "www").mkdir()
    lines = ["version: 1", f"dns: {{aws: {{provider: route53, endpoint: 'http://127.0.0.1:{port}'}}}}",
             "hosts: {web: {provider: directory, root: www, address: {cname: web.example.net}}}",
             "defaults: {dns: aws, host: web, policy: {mode: testing, max_age: 1d, mx: [mail.example.net]},",
             "           tlsrpt: {rua: ['mailto:tls@example.net']}}", "domains:"]
    lines += [f"  d{i:05}.example: {{}}" for i in range(count)]
    (folder / "stsctl.yaml").write_text("\n".join(lines) + "\n")


def report(command, emulator):
    journal = [entry["at"] for entry in emulator.control("DELETE", "journal")["requests"]]
    throttled = emulator.control("GET", "state")["throttled"]
    seconds = max(journal) - min(journal)
    print(f"{command}: {len(journal)} requests in {seconds:.1f} s, {throttled} refused for the rate; "
          f"{len(journal) / seconds:.2f} a second are {100 * len(journal) / seconds / REFILL:.1f} % of {REFILL}, "
          f"{100 * len(journal) / (CAPACITY + seconds * REFILL):.1f} % of all the bucket held")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stsctl")
    parser.add_argument("domains", nargs="?", type=int, default=2000)
    parser.add_argument("--apply", action="store_true")
    options = parser.parse_args()
    emulator = running.Emulator("route53.py")
    try:
        emulator.control("PUT", "state", state(options.domains))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            configuration(folder, emulator.port, options.domains)
            environment = {"PATH": os.environ["PATH"], "HOME": name, "AWS_ACCESS_KEY_ID": "AKIATEST",
                           "AWS_SECRET_ACCESS_KEY": "s", "STSCTL_RESOLVER": "none"}
            commands = [["plan"]] + ([["apply", "--yes"]] if options.apply else [])
            for command in commands:
                run = subprocess.run([pathlib.Path(options.stsctl).resolve(), *command], cwd=folder, env=environment,
                                     stdout=subprocess.PIPE, text=True)
                print(run.stdout.strip().rsplit("\n", 1)[-1])
                report(command[0], emulator)
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
