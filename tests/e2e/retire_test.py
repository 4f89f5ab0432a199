"""MTA-STS ends for a domain, in an order that strands no sender, by an apply every night."""

import json
import signal
import subprocess

import jsonschema

import world


class Retire(world.World):
    def setUp(self):
        super().setUp()
        self.zone()
        self.config("  example.com: {policy: {mode: enforce, max_age: 1w, mx: [mail.example.com]}}\n")
        self.run_it("apply", "--yes", check=0)

    def want(self, more=""):
        self.config(f"  example.com: {{state: retired, ttl: {{sts: 1}}{more}}}\n")

    def days_pass(self, days):
        path = self.dir / "zones/example.com.zone"
        path.write_text(path.read_text().replace(self.sts_id(), world.older(self.sts_id(), days)))

    def names(self):
        return {owner for owner, _ in self.compiled() if "_" in owner or owner.startswith("mta-sts")}

    def test_night_by_night(self):
        self.want()
        first = self.run_it("apply", "--yes", "--detailed-exitcode", check=2)
        self.assertRegex(first.stdout, r"then: record, policy and address are taken out, from 20\d\d-\d\d-\d\dT00:00:00Z on")
        self.assertIn("mode: none\r\nmx: mail.example.com\r\nmax_age: 86400", self.policy())
        for _ in range(7):
            self.days_pass(1)
            night = self.run_it("apply", "--yes", "--detailed-exitcode", check=2)
            self.assertIn("more to come", self.run_it("plan", check=0).stdout, night.stdout)
            self.assertIn("_mta-sts.example.com", self.names())
        self.days_pass(2)
        plan = self.run_it("plan", check=0).stdout
        order = [plan.index(part) for part in
                 ("clock too", "- _mta-sts.example.com 1s TXT", "until no resolver holds the record", "- version: STSv1",
                  "- mta-sts.example.com 1h CNAME")]
        self.assertEqual(order, sorted(order), plan)
        last = self.run_it("apply", "--yes", "--detailed-exitcode", check=0)
        self.assertIn("1 applied", last.stdout)
        self.assertEqual(self.names(), {"_smtp._tls.example.com"})
        self.assertIsNone(self.policy())
        self.assertIn("Nothing to do", self.run_it("plan", check=0).stdout)

    def test_status_and_json_tell_the_day(self):
        self.want()
        self.run_it("apply", "--yes", check=0)
        (domain,) = json.loads(self.run_it("status", "--json", check=0).stdout)["domains"]
        self.assertEqual(domain["mode"], "none")
        self.assertIn("are taken out", domain["later"][0]["what"])
        (planned,) = json.loads(self.run_it("plan", "--json", check=0).stdout)["domains"]
        self.assertEqual(planned["later"], domain["later"])
        self.days_pass(30)
        plan = json.loads(self.run_it("plan", "--json", check=0).stdout)
        jsonschema.validate(plan, json.loads((world.SOURCE / "schemas/plan.schema.json").read_text()))
        self.assertEqual([step["stage"] for step in plan["domains"][0]["steps"]],
                         ["confirm", "retract", "retract", "withdraw", "release"])

    def test_status_can_be_watched(self):
        watching = subprocess.Popen([world.STSCTL, "status", "--watch", "1"], cwd=self.dir, text=True, stdout=subprocess.PIPE)
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        self.assertIn("DOMAIN", watching.stdout.readline())
        self.assertIn(" enforce ", watching.stdout.readline())
        self.want()
        for line in watching.stdout:  # until the change of the configuration shows
            if "policy, id differ" in line:
                break
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(30), 0)

    def test_a_saved_plan_takes_it_out_too(self):
        self.want()
        self.run_it("apply", "--yes", check=0)
        self.days_pass(30)
        self.run_it("plan", "-o", "saved.json", check=0)
        self.run_it("apply", "saved.json", "--yes", check=0)
        self.assertEqual(self.names(), {"_smtp._tls.example.com"})

    def test_tls_rpt_goes_last_where_it_is_asked_for(self):
        self.want(", tlsrpt: {state: retired}")
        self.run_it("apply", "--yes", check=0)
        self.days_pass(30)
        self.assertIn("the TLS-RPT record is taken out", self.run_it("apply", "--yes", check=0).stdout)
        self.assertEqual(self.names(), {"_smtp._tls.example.com"})
        self.run_it("apply", "--yes", check=0)
        self.assertEqual(self.names(), set())

    def test_without_waiting_the_policy_stays(self):
        self.want()
        self.run_it("apply", "--yes", check=0)
        self.days_pass(30)
        result = self.run_it("apply", "--yes", "--no-wait", check=1)
        self.assertIn("run apply without --no-wait", result.stdout + result.stderr)
        self.assertIsNotNone(self.policy())
        self.run_it("apply", "--yes", check=0)
        self.assertIsNone(self.policy())


if __name__ == "__main__":
    world.main()
