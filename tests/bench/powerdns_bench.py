#!/usr/bin/python3
"""How fast stsctl plans and applies many zones of a real PowerDNS. docs/benchmarks.md says how to read it.

    powerdns_bench.py [--stsctl PROGRAM] [--zones N] [--changed N] [--runs N] [--octodns COMMAND]

Starts the PowerDNS of Debian on SQLite with N zones, publishes three records in each, and measures, each the
median of some runs: a plan that finds nothing to do, and an apply after one record of some zones changed.
Then the same with 50 ms before each answer, by a proxy, which in runs of its own counts the requests.
COMMAND is an installed octoDNS with its PowerDNS provider ("octodns-sync"), to be run on the same zones.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))

import name_servers  # noqa: E402

LATENCY = 0.05  # seconds
WRITERS = (1, 4, 8)
RUA = ("mailto:one@example.net", "mailto:two@example.net")


class Cleanup(contextlib.ExitStack):
    addCleanup = contextlib.ExitStack.callback


class Proxy:
    """tests/emulators/proxy.py in front of a server."""

    def __init__(self, cleanup, upstream, latency):
        self.process = subprocess.Popen(
            [sys.executable, "-B", SOURCE / "tests" / "emulators" / "proxy.py", "--upstream", upstream,
             "--latency", str(latency)], stdout=subprocess.PIPE, text=True)
        cleanup.callback(self.process.wait)
        cleanup.callback(self.process.kill)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def control(self, method, what):
        request = urllib.request.Request(f"{self.url}/_emulator/{what}", method=method)
        return json.load(urllib.request.urlopen(request))

    def count(self, work):
        """The requests that `work()` sends."""
        self.control("DELETE", "journal")
        work()
        return len(self.control("GET", "journal")["requests"])


class Run:
    """One measured run of a program."""

    def __init__(self, argv, folder, env, good=(0,)):
        with open(folder / "log", "wb") as log:
            begin = time.monotonic()
            process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log, env={**os.environ, **env})
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - begin
        self.mebibytes = usage.ru_maxrss / 1024
        if process.returncode not in good:
            raise RuntimeError(f"{argv} ended with {process.returncode}:\n{(folder / 'log').read_text()[-3000:]}")


def median(runs):
    return {"seconds": round(statistics.median(run.seconds for run in runs), 3),
            "mebibytes": round(max(run.mebibytes for run in runs), 1)}


class Stsctl:
    def __init__(self, program, zones, folder, api_key):
        self.program, self.zones, self.folder = program, zones, folder
        self.env = {"PDNS_KEY": api_key, "STSCTL_RESOLVER": "none"}
        (folder / "www").mkdir()

    def configure(self, api, changed, rua, concurrency):
        domains = "".join(f"  {zone}: {{policy: {{mx: [mail.{zone}]}}"
                          + (f', tlsrpt: {{rua: ["{rua}"]}}' if number < changed else "") + "}\n"
                          for number, zone in enumerate(self.zones))
        (self.folder / "stsctl.yaml").write_text(f"""version: 1
dns:
  pdns: {{provider: powerdns, endpoint: "{api}", api_key: "${{env:PDNS_KEY}}"{concurrency}}}
hosts:
  web: {{provider: directory, root: www, address: {{a: 192.0.2.80}}}}
defaults:
  dns: pdns
  host: web
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["{RUA[0]}"]}}
domains:
{domains}""")

    def plan(self, code=0):
        return Run([self.program, "plan", "--detailed-exitcode"], self.folder, self.env, good=(code,))

    def apply(self):
        return Run([self.program, "apply", "--yes"], self.folder, self.env)


class OctoDns:
    """The same zones as octoDNS has them: all records of each, one YAML file a zone."""

    def __init__(self, command, server, folder, api_key):
        self.command, self.folder, self.key = shlex.split(command), folder, api_key
        rows = subprocess.run(
            ["sqlite3", "-json", server.folder / "pdns.db",
             "SELECT d.name AS zone, r.name, r.type, r.content, r.ttl, r.prio FROM records r JOIN domains d "
             "ON d.id = r.domain_id WHERE r.type NOT IN ('SOA') ORDER BY r.name"],
            check=True, capture_output=True, text=True).stdout
        self.records = {}
        for row in json.loads(rows):
            self.records.setdefault(row["zone"], []).append(row)

    @staticmethod
    def value(row):
        if row["type"] == "TXT":
            return row["content"].strip('"').replace(";", "\\;")
        if row["type"] == "MX":
            return {"preference": row["prio"], "exchange": row["content"].rstrip(".") + "."}
        return row["content"] + "." if row["type"] == "NS" else row["content"]

    def configure(self, api, changed, rua, workers):
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "zones").mkdir(parents=True)
        url = urllib.parse.urlsplit(api)
        zones = {}
        for number, (zone, rows) in enumerate(self.records.items()):
            names = {}
            for row in rows:
                value = self.value(row)
                if number < changed and row["type"] == "TXT" and "TLSRPT" in value:
                    value = f"v=TLSRPTv1\\; rua={rua}"
                name = row["name"].removesuffix(zone).rstrip(".")
                names.setdefault(name, []).append({"type": row["type"], "ttl": row["ttl"], "values": [value]})
            (self.folder / "zones" / f"{zone}.yaml").write_text(json.dumps(names))
            zones[f"{zone}."] = {"sources": ["files"], "targets": ["pdns"]}
        (self.folder / "config.yaml").write_text(json.dumps({
            "manager": {"max_workers": workers},
            "providers": {
                "files": {"class": "octodns.provider.yaml.YamlProvider", "directory": "zones", "enforce_order": False},
                "pdns": {"class": "octodns_powerdns.PowerDnsProvider", "host": url.hostname, "port": url.port,
                         "scheme": "http", "ssl_verify": False, "api_key": self.key}},
            "zones": zones}))

    def plan(self):
        return Run([*self.command, "--config-file", "config.yaml"], self.folder, {})

    def apply(self):
        return Run([*self.command, "--config-file", "config.yaml", "--doit"], self.folder, {})


def alternate(tool, api, changed, option, runs):
    """Applies one record of `changed` zones, there and back."""
    results = []
    for number in range(runs):
        tool.configure(api, changed, RUA[(number + 1) % 2], option)
        results.append(tool.apply())
    if runs % 2:  # as it was
        tool.configure(api, changed, RUA[0], option)
        tool.apply()
    return results


class Table:
    """What was measured, printed as it comes."""

    def __init__(self):
        self.rows = {}

    def add(self, tool, what, **figures):
        row = self.rows.setdefault(what, {}).setdefault(tool, {})
        row.update(figures)
        print(f"{tool:8} {what:28}", *(f"{name} {value}" for name, value in figures.items()), flush=True)

    def ratios(self):
        for what, tools in self.rows.items():
            if len(tools) == 2:
                ours, theirs = tools["stsctl"], tools["octodns"]
                print(f"{what:37} octodns / stsctl: " + ", ".join(
                    f"{name} {theirs[name] / ours[name]:.1f}" for name in ours if name in theirs))


def measure(table, name, tool, server, arguments, cleanup, option, far_option):
    counting = Proxy(cleanup, server.api, 0)
    far = Proxy(cleanup, server.api, LATENCY)

    tool.configure(server.api, 0, RUA[0], option)
    table.add(name, "plan", **median([tool.plan() for _ in range(arguments.runs)]))
    table.add(name, "apply", **median(alternate(tool, server.api, arguments.changed, option, arguments.runs)))
    tool.configure(far.url, 0, RUA[0], far_option)
    table.add(name, "plan, 50 ms away", **median([tool.plan() for _ in range(arguments.runs)]))

    tool.configure(counting.url, 0, RUA[0], option)
    table.add(name, "plan", requests=counting.count(tool.plan))
    tool.configure(counting.url, arguments.changed, RUA[1], option)
    table.add(name, "apply", requests=counting.count(tool.apply))
    tool.configure(server.api, arguments.changed, RUA[0], option)
    tool.apply()


def all_changed(table, tool, server, cleanup, zones, writers):
    """Every zone changed, 50 ms away, against the least that this can take. SQLite refuses writers that meet;
    those are looked up and sent again."""
    far = Proxy(cleanup, server.api, LATENCY)
    tool.configure(far.url, zones, RUA[1], f", concurrency: {writers}")
    runs = []
    requests = far.count(lambda: runs.append(tool.apply()))
    tool.configure(server.api, zones, RUA[0], "")
    tool.apply()
    (run,) = runs
    least = -(-zones // writers) * LATENCY
    table.add("stsctl", f"apply to all, 50 ms away, {writers} at once", seconds=round(run.seconds, 2), least=least,
              times_the_least=round(run.seconds / least, 2), requests=requests)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stsctl", type=os.path.abspath,
                        default=SOURCE / "build" / "release" / "src" / "stsctl")
    parser.add_argument("--zones", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--octodns", help="the program to compare with, such as octodns-sync")
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything ends
    with Cleanup() as cleanup:
        zones = [f"z{number}.example" for number in range(arguments.zones)]
        server = name_servers.PowerDns(cleanup, zones)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="stsctl-bench-"))
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "stsctl").mkdir()
        stsctl = Stsctl(arguments.stsctl, zones, folder / "stsctl", server.api_key)
        stsctl.configure(server.api, 0, RUA[0], "")
        stsctl.apply()
        stsctl.plan()  # nothing left to do
        table = Table()
        measure(table, "stsctl", stsctl, server, arguments, cleanup, "", ", concurrency: 8")
        for writers in WRITERS:
            all_changed(table, stsctl, server, cleanup, arguments.zones, writers)
        if arguments.octodns:
            octodns = OctoDns(arguments.octodns, server, folder / "octodns", server.api_key)
            measure(table, "octodns", octodns, server, arguments, cleanup, 1, 8)
            table.ratios()


if __name__ == "__main__":
    main()
