"""plan and apply against the MX records that a real name server serves."""

import json
import pathlib
import socket
import subprocess
import tempfile
import time

import world

NAMED = """options {{ directory "{dir}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; recursion no; }};
controls {{ }};
{zones}
"""
RELOAD = r"""#!/bin/sh
kill -HUP {pid}
wanted=$(sed -n 's/.*\<\([0-9]\{{10\}}\) ; serial.*/\1/p' {file})
for try in $(seq 500); do
  served=$(dig +short +time=1 +tries=1 @127.0.0.1 -p {port} {zone} SOA | cut -d' ' -f3)
  [ "$served" = "$wanted" ] && exit
  sleep 0.02
done
echo "BIND serves $served, not $wanted" >&2
exit 1
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served(world.World):
    def serve(self, *names):
        """BIND over the zone files of this world."""
        home = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        port = free_port()
        zones = "".join(f'zone "{name}" {{ type primary; file "{self.dir}/zones/{name}.zone"; }};\n'
                        for name in names)
        for name in names:
            if not (self.dir / "zones" / f"{name}.zone").exists():
                self.zone(name)
        (home / "named.conf").write_text(NAMED.format(dir=home, port=port, zones=zones))
        server = subprocess.Popen(["named", "-g", "-c", home / "named.conf"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        deadline = time.monotonic() + 20
        while self.dig(port, names[0]).returncode != 0:
            self.assertLess(time.monotonic(), deadline, "named does not answer")
        self.port, self.named = port, server.pid
        self.env = {"STSCTL_RESOLVER": f"127.0.0.1:{port}"}

    def reload_command(self, name):
        """What a zone's `reload` runs: BIND reads it again, and answers with the serial of the file when that ends."""
        script = self.dir / "reload"
        script.write_text(RELOAD.format(pid=self.named, file=self.dir / "zones" / f"{name}.zone", port=self.port, zone=name))
        script.chmod(0o755)
        return script

    @staticmethod
    def dig(port, name):
        return subprocess.run(["dig", "+time=1", "+tries=1", "@127.0.0.1", "-p", str(port), name, "SOA"],
                              capture_output=True)


class Mx(Served):
    def setUp(self):
        super().setUp()
        self.zone()
        self.serve("example.com")

    def apply(self, code, *options):
        return self.run_it("apply", "--yes", "--no-verify", "--detailed-exitcode", *options,
                           env=self.env, check=code).stdout

    def age(self, days):
        """The id as it would stand there had it been published so many days earlier."""
        zone = self.dir / "zones" / "example.com.zone"
        id = self.sts_id()
        zone.write_text(zone.read_text().replace(id, world.older(id, days)))

    def want(self, policy, name="example.com"):
        self.config(f"  {name}: {{policy: {policy}}}\n")

    def test_a_policy_that_covers_the_mx_is_proved(self):
        self.want("{mode: enforce, mx: [mail.example.com]}")
        out = self.run_it("plan", env=self.env, check=0).stdout
        self.assertRegex(out, r"# \d+ states examined: no sender refuses mail")

    def test_one_that_misses_it_covers_it_as_well_and_says_so(self):
        for mode in ("enforce", "testing"):
            self.want(f"{{mode: {mode}, mx: [other.example.com]}}")
            out = self.run_it("plan", env=self.env, check=0).stdout
            self.assertIn("warning (mx-not-listed): the MX records name mail.example.com", out)
            self.assertIn("+ mx: mail.example.com", out)

    def test_a_domain_without_records_is_not_enforced_without_itself(self):
        self.move_mx("MX 10 mail", "TXT x")
        self.want("{mode: enforce, mx: [mail.example.com]}")
        out = self.run_it("plan", env=self.env, check=3).stdout
        self.assertIn("refused (mail-refused)", out)
        self.assertNotIn("+ mx: example.com", out)
        self.apply(3)
        self.assertIsNone(self.policy())
        self.apply(0, "--allow", "mail-refused")
        self.assertIn("mx: mail.example.com", self.policy())

    def test_a_refusal_can_be_allowed(self):
        self.want("{mode: enforce, mx: [mail.example.com]}, id: {strategy: fixed, value: one}")
        self.apply(0)
        self.want("{mode: testing, mx: [mail.example.com]}, id: {strategy: fixed, value: one}")
        out = self.run_it("plan", env=self.env, check=3).stdout
        self.assertIn("refused (fixed-id-unchanged)", out)
        self.assertIn("mode: enforce", self.policy())
        self.apply(3)
        self.apply(0, "--allow", "fixed-id-unchanged", "--allow", "stale-policy-kept")
        self.assertIn("mode: testing", self.policy())

    def test_a_saved_plan_is_stale_when_the_mx_moves(self):
        self.want("{mode: enforce, mx: [mail.example.com]}")
        self.run_it("plan", "-o", "plan.json", env=self.env, check=0)
        seen = json.loads((self.dir / "plan.json").read_text())["domains"][0]["observed"]["mx"]
        self.assertEqual(seen["hosts"], ["mail.example.com"])
        self.zone("moved.example")
        other = self.zone()
        other.write_text(other.read_text().replace("MX 10 mail", "MX 10 ns1"))
        self.serve("example.com")
        result = self.run_it("apply", "plan.json", "--yes", env=self.env, check=4)
        self.assertIn("its MX records changed", result.stdout)

    def move_mx(self, before, after):
        """Other MX records in the zone as it stands, served by a name server that has them only."""
        zone = self.dir / "zones" / "example.com.zone"
        text = zone.read_text()
        self.assertIn(before, text)
        zone.write_text(text.replace(before, after))
        self.serve("example.com")

    def test_a_host_is_replaced_night_by_night(self):
        self.want("{mode: enforce, mx: [mail.example.com]}")
        self.apply(0)
        self.age(40)
        self.want("{mode: enforce, mx: [new.example.com], max_age: 1w}")
        out = self.apply(2)
        self.assertIn("then: the MX records need not name mail.example.com any more", out)
        self.assertEqual(self.policy().split("\r\n")[2:4],
                         ["mx: new.example.com", "mx: mail.example.com"])
        plan = json.loads(self.run_it("plan", "--json", "--detailed-exitcode", env=self.env, check=2).stdout)
        [domain] = plan["domains"]
        self.assertEqual((domain["state"], domain["steps"], plan["summary"]["unfinished"]),
                         ("unchanged", [], 1))
        self.assertEqual(domain["mx"]["kept"], [{"pattern": "mail.example.com", "why": "named"}])
        dates = domain["mx"]["may_change"]
        self.assertLess(dates["prompt"], dates["daily"])
        self.assertEqual(domain["later"][0]["due"], dates["strict"])
        for view in ((), ("--markdown",)):
            out = self.run_it("plan", *view, env=self.env, check=0).stdout
            self.assertIn(f"then: the MX records need not name mail.example.com any more (senders that "
                          f"look at the id each time {dates['prompt']}, daily {dates['daily']}, never "
                          f"{dates['strict']}), from {dates['strict']} on", out)
        self.assertIn(f"in sync; older policies until {dates['strict']}; the MX records need not",
                      self.run_it("status", env=self.env, check=0).stdout)
        [row] = json.loads(self.run_it("status", "--json", env=self.env, check=0).stdout)["domains"]
        self.assertEqual((row["older_until"], row["later"]), (dates["strict"], domain["later"]))
        self.age(10)
        self.assertIn("mail.example.com leaves the policy when the MX records have not named it",
                      self.apply(2))
        self.move_mx("MX 10 mail", "MX 10 new")
        before = self.sts_id()
        self.assertIn("then: mail.example.com leaves the policy, from 2", self.apply(2))
        self.assertNotEqual(self.sts_id(), before, "it says who is leaving")
        self.assertIn("mx: mail.example.com", self.policy())
        (self.dir / "policy.txt").write_text(self.policy())
        said = self.run_it("id", "explain", self.sts_id(), "--policy", "policy.txt", check=0).stdout
        self.assertIn("leaving    mail.example.com", said)
        self.assertIn("example.com: unchanged\n  then: mail.example.com leaves the policy, from 2", self.apply(2))
        self.age(1)
        self.apply(0)
        self.assertEqual(self.policy().split("\r\n")[2:4], ["mx: new.example.com", "max_age: 604800"])
        self.assertEqual(self.sts_id()[19:], world.digest_of(self.policy()))
        self.assertIn("Nothing to do: 1 domain in sync.",
                      self.run_it("plan", "--detailed-exitcode", env=self.env, check=0).stdout)

    def test_safety_chooses_whom_a_change_waits_for(self):
        self.want("{mode: enforce, mx: [mail.example.com], max_age: 1w}")
        self.apply(0)
        for safety in ("prompt", "daily", "strict"):
            self.want(f"{{mode: enforce, mx: [new.example.com]}}, safety: {safety}")
            shown = self.run_it("plan", "--json", env=self.env, check=0).stdout
            [domain] = json.loads(shown)["domains"]
            self.assertEqual(domain["later"][0]["due"], domain["mx"]["may_change"][safety])
        self.want("{mode: enforce, mx: [new.example.com]}, safety: dayly")
        self.assertIn("did you mean 'daily'?", self.run_it("validate", check=64).stderr)

    def test_a_saved_plan_that_keeps_a_host_is_stale_when_the_records_no_longer_name_it(self):
        self.want("{mode: enforce, mx: [mail.example.com]}")
        self.apply(0)
        self.want("{mode: enforce, mx: [ns1.example.com]}")
        self.run_it("plan", "-o", "plan.json", env=self.env, check=0)
        self.move_mx("MX 10 mail", "MX 10 ns1")
        (self.dir / "zones" / "example.com.zone").write_text(
            (self.dir / "zones" / "example.com.zone").read_text().replace("MX 10 ns1", "MX 10 mail"))
        self.assertIn("its MX records changed", self.run_it(
            "apply", "plan.json", "--yes", "--no-verify", env=self.env, check=4).stdout)
        self.serve("example.com")
        shown = self.apply(2, "plan.json")
        self.assertIn("then: the MX records need not name mail.example.com", shown)
        self.assertIn("mx: mail.example.com", self.policy())

    def test_live_patterns_are_those_of_the_records(self):
        self.move_mx("MX 10 mail", "MX 10 mail\n\tMX 20 ns1")
        self.want("{mode: enforce, mx: live}")
        out = self.run_it("plan", env=self.env, check=0).stdout
        self.assertIn("# the MX records name mail.example.com, ns1.example.com", out)
        self.assertIn("+ mx: ns1.example.com", out)
        shown = self.run_it("plan", "--markdown", env=self.env, check=0).stdout
        self.assertIn("the MX records name mail.example.com, ns1.example.com", shown)
        self.assertEqual(self.run_it("status", env=self.env, check=0).stdout.count("differ"), 1)
        self.run_it("apply", "--yes", "--no-verify", env=self.env, check=0)
        self.assertEqual(self.policy().split("\r\n")[2:4],
                         ["mx: mail.example.com", "mx: ns1.example.com"])
        self.assertIn("Nothing to do", self.run_it("plan", env=self.env, check=0).stdout)
        self.assertIn("in sync", self.run_it("status", env=self.env, check=0).stdout)
        self.assertIn("mx: ns1.example.com",
                      self.run_it("render", "example.com", env=self.env, check=0).stdout)

    def test_a_saved_plan_of_live_patterns_is_stale_when_they_change(self):
        self.want("{mode: testing, mx: live}")
        self.run_it("plan", "-o", "plan.json", env=self.env, check=0)
        self.assertTrue(json.loads((self.dir / "plan.json").read_text())["domains"][0]["desired"]["mx_live"])
        result = self.run_it("apply", "plan.json", "--yes", "--no-verify", check=4)  # nobody to ask
        self.assertIn("nobody was asked", result.stdout)
        old = self.env
        self.move_mx("MX 10 mail", "MX 10 mail\n\tMX 20 ns1")
        result = self.run_it("apply", "plan.json", "--yes", "--no-verify", env=self.env, check=4)
        self.assertIn("its MX records changed", result.stdout)
        self.assertIsNone(self.policy())
        zone = self.dir / "zones" / "example.com.zone"  # only now the zone is as it was
        zone.write_text(zone.read_text().replace("\n\tMX 20 ns1", ""))
        self.run_it("apply", "plan.json", "--yes", "--no-verify", env=old, check=0)
        self.assertIn("mx: mail.example.com", self.policy())

    def test_live_without_mail_hosts_is_not_planned(self):
        self.want("{mode: enforce, mx: live}")
        for records, code, what in (("MX 0 .", 3, "name no mail host (RFC 7505)"),
                                    ("TXT x", 3, "no MX records")):
            self.zone()
            self.move_mx("MX 10 mail", records)
            with self.subTest(records):
                out = self.run_it("plan", env=self.env, check=code).stdout
                self.assertIn(what, out)
                self.assertIn("refused: ", out)
                self.assertNotIn("+ version", out)
                shown = self.run_it("plan", "--json", env=self.env, check=code).stdout
                self.assertIn(what, json.loads(shown)["domains"][0]["error"]["what"])
                self.assertIn(what, self.run_it("render", env=self.env, check=1).stderr)
        self.serve("example.net")  # refuses questions for example.com
        out = self.run_it("plan", env=self.env, check=1).stdout
        self.assertIn("not readable: its MX records cannot be read", out)
        self.assertIn("nobody was asked", self.run_it("plan", check=1).stdout)

    def test_live_can_be_withdrawn_whatever_the_records_say(self):
        self.want("{mode: enforce, mx: live}")
        self.run_it("apply", "--yes", "--no-verify", env=self.env, check=0)
        self.move_mx("MX 10 mail", "MX 0 .")
        self.want("{mode: none, mx: live}")
        self.run_it("apply", "--yes", "--no-verify", env=self.env, check=0)
        self.assertIn("mode: none\r\nmx: mail.example.com\r\n", self.policy())

    def test_what_cannot_be_asked_is_said(self):
        self.want("{mode: enforce, mx: [mail.example.net]}", "example.net")
        self.zone("example.net")
        out = self.run_it("plan", env=self.env, check=0).stdout
        self.assertIn("warning (mx-unknown)", out)
        self.assertIn("REFUSED", out)

    def test_a_resolver_that_is_no_address(self):
        self.want("{mode: testing, mx: [mail.example.com]}")
        result = self.run_it("--resolver", "dns.example", "plan", check=64)
        self.assertIn("'dns.example' is no address of a name server", result.stderr)


if __name__ == "__main__":
    world.main()
