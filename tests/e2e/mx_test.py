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
        self.port = port
        self.env = {"STSCTL_RESOLVER": f"127.0.0.1:{port}"}

    @staticmethod
    def dig(port, name):
        return subprocess.run(["dig", "+time=1", "+tries=1", "@127.0.0.1", "-p", str(port), name, "SOA"],
                              capture_output=True)


class Mx(Served):
    def setUp(self):
        super().setUp()
        self.zone()
        self.serve("example.com")

    def want(self, policy, name="example.com"):
        self.config(f"  {name}: {{policy: {policy}}}\n")

    def test_a_policy_that_covers_the_mx_is_proved(self):
        self.want("{mode: enforce, mx: [mail.example.com]}")
        out = self.run_it("plan", env=self.env, check=0).stdout
        self.assertRegex(out, r"# \d+ states examined: no sender refuses mail")

    def test_one_that_misses_it_is_refused_and_can_be_allowed(self):
        self.want("{mode: enforce, mx: [other.example.com]}")
        result = self.run_it("plan", env=self.env, check=3)
        self.assertIn("refused (mail-refused)", result.stdout)
        self.assertIn("mail.example.com", result.stdout)
        self.run_it("apply", "--yes", env=self.env, check=3)
        self.assertIsNone(self.policy())
        self.run_it("apply", "--yes", "--no-verify", "--allow", "mail-refused", env=self.env, check=0)
        self.assertIn("other.example.com", self.policy())

    def test_testing_only_warns(self):
        self.want("{mode: testing, mx: [other.example.com]}")
        out = self.run_it("plan", env=self.env, check=0).stdout
        self.assertIn("warning (mx-not-allowed)", out)

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
