"""A folder with zones, a web root and a configuration, and stsctl run in it."""

import base64
import datetime
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

STSCTL = os.environ["STSCTL"]
SOURCE = pathlib.Path(os.environ["STSCTL_SOURCE_DIR"])
# No test asks anybody but servers of its own.
os.environ["STSCTL_RESOLVER"] = "none"

ZONE = """; kept by hand
$TTL 1h
$ORIGIN {zone}.
@\tIN SOA ns1 hostmaster ( 2026010101 ; serial
\t\t1d 2h 4w 5m )
\tNS ns1
\tMX 10 mail\t; the mail host
ns1\tA 192.0.2.1
mail\tA 192.0.2.25
"""

HEAD = """version: 1
dns:
  zones: {provider: zonefile, directory: zones}
hosts:
  web: {provider: directory, root: www, address: {cname: web.example.net}}
defaults:
  dns: zones
  host: web
  policy: {mode: testing, max_age: 1d}
  tlsrpt: {rua: ["mailto:tls@example.net"]}
domains:
"""


class World(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="stsctl-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        (self.dir / "zones").mkdir()
        (self.dir / "www").mkdir()

    def zone(self, name="example.com", extra=""):
        path = self.dir / "zones" / f"{name}.zone"
        path.write_text(ZONE.format(zone=name) + extra)
        return path

    def config(self, domains, head=HEAD):
        (self.dir / "stsctl.yaml").write_text(head + domains)

    def run_it(self, *args, env=None, stdin="", check=None, cwd=None):
        result = subprocess.run(
            [STSCTL, *args], cwd=cwd or self.dir, input=stdin, text=True, capture_output=True,
            timeout=120, env={**os.environ, **(env or {})})
        if check is not None:
            self.assertEqual(result.returncode, check, result.stdout + result.stderr)
        return result

    def policy(self, domain="example.com"):
        path = self.dir / "www" / f"mta-sts.{domain}" / ".well-known" / "mta-sts.txt"
        return path.read_bytes().decode() if path.exists() else None

    def put_policy(self, body, domain="example.com"):
        path = self.dir / "www" / f"mta-sts.{domain}" / ".well-known" / "mta-sts.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode())

    def compiled(self, zone="example.com"):
        """The zone as named-checkzone, which nobody here wrote, reads it: (owner, type) to data."""
        out = subprocess.run(
            ["named-checkzone", "-D", "-o", "-", zone, self.dir / "zones" / f"{zone}.zone"],
            capture_output=True, text=True)
        self.assertEqual(out.returncode, 0, out.stdout + out.stderr)
        records = {}
        for line in out.stdout.splitlines():
            fields = line.split(None, 4)
            if len(fields) == 5 and fields[2] == "IN":
                records.setdefault((fields[0].rstrip("."), fields[3]), []).append(fields[4])
        return records

    def sts_id(self, domain="example.com", zone="example.com"):
        txt = self.compiled(zone).get((f"_mta-sts.{domain}", "TXT"))
        found = txt and re.search(r"id=([A-Za-z0-9]+)", txt[0])
        return found and found.group(1)


def digest_of(body):
    """The digest an id must carry for a policy, computed apart from the program."""
    lines = body.replace("\r", "").strip().split("\n")
    mx = sorted({line for line in lines if line.startswith("mx: ")},
                key=lambda line: (line.startswith("mx: *."), line.removeprefix("mx: ").removeprefix("*.")))
    canonical = [lines[0], lines[1], *mx, lines[-1]]
    raw = hashlib.sha256("".join(line + "\r\n" for line in canonical).encode()).digest()
    return base64.b32encode(raw).decode()[:13]


def older(identity, days):
    """The id as it would be had everything happened so many days before."""
    day = datetime.timedelta(days=days)
    made = datetime.datetime.strptime(identity[:16], "%Y%m%dT%H%M%SZ") - day
    digits, number = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", int(identity[16:19], 36) - days
    horizon = "".join(digits[number // 36 ** place % 36] for place in (2, 1, 0))
    return made.strftime("%Y%m%dT%H%M%SZ") + horizon + identity[19:]


def main():
    unittest.main(verbosity=2)
