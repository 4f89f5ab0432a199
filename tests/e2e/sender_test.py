"""What senders make of a domain while it changes, step by step: real DNS, web and mail servers, and a sender that
nobody here wrote beside verify."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import mail_sender
import postfix
import web
import world

SITES = """ssl_certificate {chain}; ssl_certificate_key {key}; default_type text/plain;
server {{ listen 127.0.0.1:{port} ssl; root {dir}/www/$host; }}
server {{ listen 127.0.0.2:{port} ssl; root {dir}/other/$host; }}"""
NAMED = """options {{ directory "{dir}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; lock-file none; recursion no; }};
controls {{ }};
zone "example.com" {{ type primary; file "{file}"; }};
"""
# BIND listens at addresses of interfaces only, of which 127.0.0.2 is none.
KNOT = """server:
  rundir: {dir}
  listen: 127.0.0.2@{port}
  udp-workers: 1
database:
  storage: {dir}
zone:
  - domain: example.com
    file: {file}
"""
ZONE = """$TTL 300
@ SOA ns1 hostmaster ( 1 1d 2h 4w 5m )
  NS ns1
  MX 10 mail
ns1 A 127.0.0.1
mail A 127.0.0.1
mail2 A 127.0.0.1
"""
# Told of every step, and waits until it has been looked at.
HOOK = """#!/bin/sh
echo step > {dir}/step
read -r answer < {dir}/go
"""
HEAD = """version: 1
dns: {{zones: {{provider: zonefile, directory: zones, reload: ["{dir}/hook"]}}}}
hosts:
  web: {{provider: directory, root: www, reload: ["{dir}/hook"], address: {{a: 127.0.0.1}}}}
  other: {{provider: directory, root: other, reload: ["{dir}/hook"], address: {{a: 127.0.0.2}}}}
defaults: {{dns: zones, host: web, tlsrpt: {{rua: ["mailto:tls@example.net"]}}}}
domains:
"""


class Changes(web.WebWorld):
    def setUp(self):
        super().setUp()
        self.dir.chmod(0o755)  # for nginx, which gives up root
        (self.dir / "other").mkdir()
        (self.dir / "zones/example.com.zone").write_text(ZONE)
        hook = self.dir / "hook"
        hook.write_text(HOOK.format(dir=self.dir))
        hook.chmod(0o755)
        for fifo in ("step", "go"):
            os.mkfifo(self.dir / fifo)
        self.authority = self.ca()
        chain, key = self.dir / "chain.pem", self.dir / "key.pem"
        self.authority.issue(chain, key, "mta-sts.example.com", "mail.example.com", "mail2.example.com")
        self.mail = postfix.Postfix(self, chain, key).port
        self.https, self.port, self.named = web.free_port(), web.free_port(), None
        sites = SITES.format(dir=self.dir, port=self.https, chain=chain, key=key)
        self.started(web.Program(web.nginx(self.dir, sites), self.dir))
        self.load_zone()
        # One that has followed the domain all the time. What it holds under an id must never change.
        self.follower, self.announced = self.sender(), {}

    def load_zone(self):
        """BIND serves the zone as its file is now."""
        if self.named:
            self.named.end()
        self.named = self.name_server("127.0.0.1", NAMED, ["named", "-g", "-n", "1", "-c"],
                                      self.dir / "zones/example.com.zone")

    def name_server(self, address, text, program, file):
        home = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        (home / "conf").write_text(text.format(dir=home, port=self.port, file=file))
        server = self.started(web.Program([*program, home / "conf"], home))
        web.wait_until(lambda: subprocess.run(["dig", "+time=1", "+tries=1", f"@{address}", "-p", str(self.port),
                                               "example.com", "SOA"], capture_output=True).returncode == 0,
                       "an answer of the name server")
        return server

    def sender(self):
        one = mail_sender.Sender(self.authority.file, self.port, self.https)
        self.addCleanup(one.close)
        return one

    def want(self, policy, more=""):
        self.config(f"  example.com: {{policy: {{{policy}}}{more}}}\n", HEAD.format(dir=self.dir))

    def mx(self, *hosts):
        """The operator changes the MX records."""
        path = self.dir / "zones/example.com.zone"
        kept = [line for line in path.read_text().splitlines() if " MX " not in line]
        at = next(i for i, line in enumerate(kept) if line.startswith("ns1"))
        kept[at:at] = [f"  MX 10 {host}" for host in hosts]
        path.write_text("\n".join(kept) + "\n")
        self.load_zone()

    def options(self):
        return ["--ca-file", self.authority.file, "--https-port", str(self.https), "--dns-port", str(self.port)]

    def environment(self):
        return {**os.environ, "STSCTL_RESOLVER": f"127.0.0.1:{self.port}"}

    def look(self, between=False):
        """Holds verify's view against that of a fresh sender and of one with a cache; gives the fresh one's answer.
        Between two steps the id may still be that of the policy before."""
        verdict = subprocess.run(
            [world.STSCTL, "verify", "example.com", "--json", "--smtp-port", str(self.mail), *self.options()], cwd=self.dir, capture_output=True, text=True, env=self.environment())
        (ours,) = json.loads(verdict.stdout)["domains"]
        failures = [finding for finding in ours["findings"]
                    if finding["grade"] == "fail" and not (between and finding["id"] == "id-announces-another")]
        answer, cached = self.sender().ask("example.com")
        if cached is None:  # there is no policy, and nobody says there should be
            self.assertIn("no-sts-record", [finding["id"] for finding in failures])
        else:
            identity, policy = cached
            self.assertEqual(failures, [], "every MX host is live, healthy, and to be allowed at every step")
            self.assertEqual((ours["id"], ours["mode"]), (identity, policy["mode"]))
            self.assertEqual(answer.startswith("OK"), policy["mode"] == "enforce", answer)
            if policy["mode"] == "enforce":
                allowed = answer.split("match=")[1].split(" ")[0].split(":")
                for host in self.hosts():
                    self.assertTrue(any(host == one or one.startswith(".") and host.endswith(one) for one in allowed), answer)
        _, followed = self.follower.ask("example.com")
        self.assertEqual(followed is None, cached is None)
        if followed:
            identity, policy = followed
            self.assertEqual(self.announced.setdefault(identity, policy), policy, "an old policy under a new id")
            if not between:
                self.assertEqual(followed, cached, "who follows the id has what is served")
        return answer, cached

    def hosts(self):
        out = subprocess.run(["dig", "+short", "@127.0.0.1", "-p", str(self.port), "example.com", "MX"], capture_output=True,
                             text=True).stdout
        return [line.split()[1].rstrip(".") for line in out.splitlines()]

    def apply(self, code=0, timeout="20s", at=None):
        """Applies; gives how many writes there were. After each write `at(step)` is called, or else senders look."""
        command = [world.STSCTL, "apply", "--yes", "--timeout", timeout, *self.options()]
        steps = 0
        with open(self.dir / "apply.out", "wb") as out:
            process = subprocess.Popen(command, cwd=self.dir, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       env=self.environment())
            try:
                while self.step(process):
                    self.load_zone()
                    with self.subTest(step=steps):
                        at(steps) if at else self.look(between=True)
                    steps += 1
                    with open(self.dir / "go", "w") as go:
                        go.write("on\n")
            finally:
                process.kill()
                process.wait()
        self.assertEqual(process.returncode, code, (self.dir / "apply.out").read_text())
        return steps

    def step(self, process):
        """Waits for the next write; False when the program has ended instead."""
        end = time.monotonic() + 60
        fifo = os.open(self.dir / "step", os.O_RDONLY | os.O_NONBLOCK)
        try:
            while time.monotonic() < end:
                try:
                    if os.read(fifo, 16):
                        return True
                except BlockingIOError:
                    pass
                if process.poll() is not None:
                    return False
                time.sleep(0.01)
            raise AssertionError("apply neither writes nor ends")
        finally:
            os.close(fifo)

    def test_every_kind_of_change(self):
        self.look()
        changes = [
            ("first publication", "mode: testing, max_age: 1d, mx: [mail.example.com]", "", ["mail"]),
            ("TLS-RPT only", "mode: testing, max_age: 1d, mx: [mail.example.com]",
             ', tlsrpt: {rua: ["mailto:b@example.net"]}', ["mail"]),
            ("testing to enforce", "mode: enforce, max_age: 1d, mx: [mail.example.com]", "", ["mail"]),
            ("mx added", "mode: enforce, max_age: 1d, mx: [mail.example.com, mail2.example.com]", "", ["mail", "mail2"]),
            ("max_age", "mode: enforce, max_age: 2d, mx: [mail.example.com, mail2.example.com]", "", ["mail", "mail2"]),
            ("a pattern for two", 'mode: enforce, max_age: 2d, mx: ["*.example.com"]', "", ["mail", "mail2"]),
            ("host and address moved", 'mode: enforce, max_age: 2d, mx: ["*.example.com"]', ", host: other",
             ["mail", "mail2"]),
            ("enforce to testing", 'mode: testing, max_age: 2d, mx: ["*.example.com"]', ", host: other", ["mail", "mail2"]),
            ("withdrawn", 'mode: none, max_age: 1d, mx: ["*.example.com"]', ", host: other", ["mail", "mail2"]),
        ]
        for name, policy, more, hosts in changes:
            with self.subTest(name):
                self.want(policy, more)
                self.assertGreater(self.apply(), 0)
                self.mx(*hosts)
                answer, cached = self.look()
                self.assertEqual(cached[1]["mode"], policy.split(",")[0].split()[1])
                self.assertEqual(self.apply(), 0, "nothing is left to do")

    def test_removal(self):
        self.want("mode: enforce, max_age: 1d, mx: [mail.example.com]")
        self.apply()
        self.assertTrue(self.look()[0].startswith("OK"))
        self.want("mx: [mail.example.com]", ", state: retired, ttl: {sts: 1}")
        self.assertEqual(self.apply(), 2, "the policy, then the id")
        self.assertEqual(self.look()[1][1]["mode"], "none")
        self.assertEqual(self.apply(), 0, "not before every older policy has ended")

        zone = self.dir / "zones/example.com.zone"
        identity = re.search("id=([0-9A-Z]+)", zone.read_text())[1]
        zone.write_text(zone.read_text().replace(identity, world.older(identity, 3)))
        self.load_zone()
        self.look()
        seen = []

        def look(_):
            fresh, cached = self.sender().ask("example.com")
            seen.append(cached)
            for answer in (fresh, self.follower.ask("example.com")[0]):
                self.assertFalse(answer.startswith("OK"), "nobody enforces anything any more")

        self.assertEqual(self.apply(at=look), 3, "the record, the policy, the address")
        self.assertEqual(seen, [None] * 3, "no fresh sender is sent anywhere")
        self.assertFalse(list((self.dir / "www").rglob("mta-sts.txt")))
        self.assertEqual(re.findall("^_?mta-sts.*", zone.read_text(), re.M), [])
        self.assertIn("_smtp._tls", zone.read_text())
        self.assertEqual(self.apply(), 0)

    def published(self):
        self.want("mode: testing, max_age: 1d, mx: [mail.example.com]")
        self.apply()
        return self.look()[1][0]

    def said(self):
        return (self.dir / "apply.out").read_text()

    def test_a_name_server_that_lags_holds_up_what_depends_on_it(self):
        zone, copy = self.dir / "zones/example.com.zone", self.dir / "copy.zone"
        zone.write_text(zone.read_text() + "@ NS ns2\nns2 A 127.0.0.2\n")
        shutil.copy(zone, copy)
        self.load_zone()
        second = self.name_server("127.0.0.2", KNOT, ["knotd", "-c"], copy)
        self.want("mode: testing, max_age: 1d, mx: [mail.example.com]")
        self.assertEqual(self.apply(code=1, timeout="1s"), 1, "address and TLS-RPT, no further")
        self.assertRegex(self.said(), r"ns2.example.com \[127.0.0.2:\d+\] still answers nothing at")
        self.assertFalse(any((self.dir / "www").iterdir()))
        self.assertIsNone(self.look()[1])

        def catch_up(_):
            nonlocal second
            second.end()
            shutil.copy(zone, copy)
            second = self.name_server("127.0.0.2", KNOT, ["knotd", "-c"], copy)

        catch_up(0)
        self.assertEqual(self.apply(at=catch_up), 2, "the policy, then the id")
        second.end()
        self.assertIsNotNone(self.look()[1])

    def test_an_address_that_serves_the_old_policy_keeps_the_id_back(self):
        self.want("mode: testing, max_age: 1d, mx: [mail.example.com]", ", address: {a: [127.0.0.1, 127.0.0.2]}")

        def copy(_):
            shutil.copytree(self.dir / "www", self.dir / "other", dirs_exist_ok=True)

        self.apply(at=copy)
        before = self.look()[1][0]
        self.want("mode: enforce, max_age: 1d, mx: [mail.example.com]", ", address: {a: [127.0.0.1, 127.0.0.2]}")
        self.apply(code=1, timeout="1s", at=lambda _: None)
        self.assertIn("mta-sts.example.com [127.0.0.2]: it serves another policy", self.said())
        self.assertEqual(self.follower.ask("example.com")[1][0], before)
        self.assertEqual(self.follower.ask("example.com")[1][1]["mode"], "testing")
        copy(0)
        self.assertEqual(self.apply(), 1, "the id alone")
        self.assertEqual(self.look()[1][1]["mode"], "enforce")

    def test_a_provider_that_dies_between_two_steps(self):
        before = self.published()
        self.want("mode: enforce, max_age: 1d, mx: [mail.example.com]")
        zones, away = self.dir / "zones", self.dir / "away"

        def lose_the_zone(step):
            if step == 0:
                zones.rename(away)

        self.assertEqual(self.apply(code=1, at=lose_the_zone), 1)
        away.rename(zones)
        self.assertEqual(self.follower.ask("example.com")[1][0], before)
        self.assertEqual(self.apply(), 1, "the id alone")
        self.assertEqual(self.look()[1][1]["mode"], "enforce")
        self.assertEqual(self.apply(), 0)


if __name__ == "__main__":
    world.main()
