"""The program itself over zone files and a web root: from nothing to enforce, and what its plans say."""

import json
import re
import time

import jsonschema

import reports_test
import world

HEAD = world.HEAD.replace("defaults:", """rollouts:
  quick:
    - {mode: testing, max_age: 1d, for: 2s}
    - {mode: enforce, max_age: 1w, for: 4w, brake: {failures: 2%}}
    - {mode: enforce, max_age: 26w}
  looked:
    - {mode: testing, max_age: 1d, gate: {sessions: 10, failures: 0.1%, verify: pass}}
    - {mode: enforce, max_age: 1w}
  reported:
    - {mode: testing, max_age: 1d, gate: {sessions: 100, failures: 1%}}
    - {mode: enforce, max_age: 1d, brake: {failures: 2%, within: 2d}}
reports: {authserv_ids: mx.example.net, signers: [sender.example]}
defaults:""")
SCHEMA = json.loads((world.SOURCE / "schemas" / "plan.schema.json").read_text())


class Rollout(world.World):
    def setUp(self):
        super().setUp()
        self.zone()

    def follow(self, what):
        self.config(f"  example.com: {{{what}, policy: {{mx: [mail.example.com]}}}}\n", HEAD)

    def plan(self, *args, check=0):
        plan = json.loads(self.run_it("plan", "--json", *args, check=check).stdout)
        jsonschema.validate(plan, SCHEMA)
        return plan["domains"][0]

    def mode(self):
        return re.search(r"mode: (\w+)", self.policy()).group(1)

    def test_from_nothing_to_enforce(self):
        self.follow("rollout: quick")
        self.assertEqual(self.plan()["rollout"]["action"], "enter")
        begun = time.monotonic()
        self.run_it("apply", "--yes", check=0)
        self.assertEqual(self.mode(), "testing")
        # The stage lasts 2 s by the second in the id: never less than one.
        deadline = begun + 30
        while self.mode() == "testing":
            self.assertLess(time.monotonic(), deadline)
            self.run_it("apply", "--yes", check=0)
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(self.mode(), "enforce")
        self.assertIn("max_age: 604800", self.policy())
        self.assertTrue(self.sts_id().endswith(world.digest_of(self.policy())))
        stays = self.plan()
        self.assertEqual((stays["state"], stays["rollout"]["action"]), ("unchanged", "stay"))
        self.assertEqual(stays["rollout"]["brake"]["figure"], "no reports")
        self.run_it("plan", "--detailed-exitcode", check=2)  # a stage is to come

    def test_a_gate_without_evidence_does_not_hold(self):
        self.follow("rollout: looked")
        self.run_it("apply", "--yes", check=0)
        status = json.loads(self.run_it("status", "--json", check=0).stdout)
        jsonschema.validate(status, json.loads((world.SOURCE / "schemas" / "status.schema.json").read_text()))
        self.assertEqual(status["domains"][0]["rollout"]["stage"], 1)
        gates = {gate["what"]: gate for gate in self.plan()["rollout"]["gates"]}
        self.assertEqual([gate["holds"] for gate in gates.values()], [True, False, False, False])
        self.assertEqual(gates["sessions"]["figure"], "no reports")
        self.assertEqual(gates["verify"]["figure"], "could not be run: there is no resolver to ask")
        left_out = self.plan("--no-evidence")
        self.assertTrue(left_out["rollout"]["evidence_left_out"])
        self.assertIn("evidence-left-out", [note["id"] for note in left_out["notes"]])
        self.run_it("apply", "--yes", "--no-evidence", check=0)
        self.assertEqual(self.mode(), "testing")
        self.assertIn("stage 1 of 2 of 'looked'", self.run_it("plan", "--markdown", check=0).stdout)

    def days_pass(self, days):
        path = self.dir / "zones/example.com.zone"
        path.write_text(path.read_text().replace(self.sts_id(), world.older(self.sts_id(), days)))

    def take(self, organization, good, *failures, signed_by="sender.example", policy=None, days_ago=1):
        """Imports a report on the policy that is published, or another."""
        said = reports_test.report(days_ago, organization, "example.com", (policy or self.policy()).split("\r\n")[:-1], good, failures)
        (self.dir / "report.eml").write_text(reports_test.mail(said, signed_by))
        self.run_it("reports", "import", "report.eml", check=0)

    def gates(self):
        return {gate["what"]: (gate["figure"], gate["holds"]) for gate in self.plan()["rollout"]["gates"]}

    def test_reports_lead_on_and_back(self):
        self.follow("rollout: reported")
        self.run_it("apply", "--yes", check=0)
        self.take("early", 1000, days_ago=20)
        self.assertEqual(self.gates()["sessions"], ("no reports", False), "it tells of the time before")
        self.days_pass(9)
        self.take("A", 60)
        self.take("stranger", 1000, signed_by="stranger.example")
        self.take("nobody", 1000, signed_by="")
        self.take("old", 1000, policy=self.policy().replace("86400", "604800"))
        self.assertEqual(self.gates()["sessions"], ("60", False))
        self.take("B", 60, ("certificate-expired", "mail.example.com", 2))
        self.assertEqual(self.gates()["sessions"], ("122", True))
        self.assertEqual(self.gates()["failures"], ("2 of 122 sessions (1.6394%)", False))
        self.take("C", 200)
        self.assertTrue(self.gates()["failures"][1])
        self.run_it("apply", "--yes", check=0)
        self.assertEqual(self.mode(), "enforce")
        self.take("D", 95, ("tlsa-invalid", "mail.example.com", 5), days_ago=0)
        self.assertEqual(self.plan()["rollout"]["action"], "stay", "DANE's failures are shown")
        self.take("E", 95, ("certificate-host-mismatch", "mail.example.com", 5), days_ago=0)
        self.assertEqual(self.plan()["rollout"]["action"], "brake")
        before = self.sts_id()
        self.run_it("apply", "--yes", check=0)
        self.assertEqual(self.mode(), "testing")
        self.assertNotEqual(self.sts_id(), before)
        self.assertEqual(self.gates()["sessions"], ("no reports", False), "the clock starts anew")

    def test_what_enforces_already_is_not_led_back(self):
        body = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 864000\r\n"
        self.put_policy(body)
        self.follow("rollout: quick")
        plan = self.plan(check=3)
        self.assertEqual((plan["state"], plan["rollout"]["action"]), ("refused", "refuse"))
        self.run_it("apply", "--yes", check=3)
        self.assertEqual(self.policy(), body)
        self.follow("rollout: quick, start: 3")
        self.run_it("apply", "--yes", check=0)
        self.assertIn("max_age: 15724800", self.policy())
        self.assertEqual(self.mode(), "enforce")

    def test_a_saved_plan_of_another_decision_is_stale(self):
        self.follow("rollout: quick, stage: 2")
        self.run_it("plan", "-o", "plan.json", check=0)
        self.follow("rollout: quick, stage: 1")
        self.assertIn("its rollout now leads to stage 1", self.run_it("apply", "plan.json", "--yes", check=4).stdout)
        self.assertIsNone(self.policy())
        self.follow("rollout: quick, stage: 2")
        self.run_it("apply", "plan.json", "--yes", check=0)
        self.assertEqual(self.mode(), "enforce")

    def test_the_page_shows_a_configuration_that_is_valid(self):
        page = (world.SOURCE / "docs" / "rollout.md").read_text()
        text = re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1)
        self.config(text.split("domains:\n")[1], HEAD.split("rollouts:")[0] + text.split("domains:")[0]
                    + "defaults: {dns: zones, host: web}\ndomains:\n")
        self.run_it("validate", check=0)


if __name__ == "__main__":
    world.main()
