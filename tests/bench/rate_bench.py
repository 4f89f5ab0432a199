"""tests/bench/rate_bench.py STSCTL cloudflare|route53 [DOMAINS]: plans a fleet, 2,000 domains in as many zones unless
told otherwise, at an emulator that enforces the published limit: Cloudflare's 1,200 requests in five minutes and 200 a
second, Route 53's bucket of 50 requests that 10 a second refill. Prints the requests, how many were refused for the rate,
and how much of the rate was used."""

import argparse
import os
import pathlib
import subprocess
import tempfile

import latency_bench

running = latency_bench.running


class Cloudflare(latency_bench.Cloudflare):
    options = ["--rates", "1200/300,200/1"]

    @staticmethod
    def used(times):
        """How soon the window's last request was followed by the first of the next window, which may come after it."""
        return 300 / (times[1200] - times[0]) if len(times) > 1200 else None


class Route53(latency_bench.Route53):
    options = []

    @staticmethod
    def state(names):
        return {**latency_bench.Route53.state(names), "limit": {"capacity": 50, "refill": 10}}

    @staticmethod
    def used(times):
        return len(times) / (times[-1] - times[0]) / 10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stsctl", type=os.path.abspath)
    parser.add_argument("service", choices=["cloudflare", "route53"])
    parser.add_argument("domains", nargs="?", type=int, default=2000)
    options = parser.parse_args()
    service = {"cloudflare": Cloudflare, "route53": Route53}[options.service]
    names = [f"d{number:05}.example" for number in range(options.domains)]
    emulator = running.Emulator(service.script, *service.options)
    try:
        emulator.control("PUT", "state", service.state(names))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            latency_bench.configuration(folder, service.settings(emulator.port), names)
            environment = {"PATH": os.environ["PATH"], "HOME": name, "STSCTL_RESOLVER": "none", **service.env}
            subprocess.run([options.stsctl, "plan"], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
        journal = emulator.control("DELETE", "journal")["requests"]
    finally:
        emulator.stop()
    times = sorted(entry["at"] for entry in journal)
    refused = sum(entry["status"] in (429, 400) for entry in journal)
    used = service.used(times)
    print(f"{options.service}: {len(times)} requests in {times[-1] - times[0]:.1f} s, {refused} refused for the rate"
          + (f", {100 * used:.1f} % of the rate used" if used else ""))


if __name__ == "__main__":
    main()
