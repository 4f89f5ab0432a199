"""plan and apply as a user runs them: the path of a domain, exit codes, saved plans, isolation."""

import json
import os
import signal
import subprocess
import time

import world

DOMAIN = "  example.com: {policy: {mx: [mail.example.com]}}\n"


class Path(world.World):
    def test_publish_then_nothing_to_do_then_change(self):
        zone = self.zone()
        self.config(DOMAIN)
        self.run_it("plan", "--detailed-exitcode", check=2)
        self.assertEqual(zone.read_text(), world.ZONE.format(zone="example.com"))  # plan only looks
        self.run_it("apply", "--yes", check=0)
        self.run_it("plan", "--detailed-exitcode", check=0)
        first = self.sts_id()
        self.assertEqual(self.policy(), "version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\n"
                                        "max_age: 86400\r\n")
        records = self.compiled()
        self.assertEqual(records[("_smtp._tls.example.com", "TXT")],
                         ['"v=TLSRPTv1; rua=mailto:tls@example.net"'])
        self.assertEqual(records[("mta-sts.example.com", "CNAME")], ["web.example.net."])
        self.assertTrue(zone.read_text().startswith("; kept by hand\n"))
        self.assertIn("MX 10 mail\t; the mail host\n", zone.read_text())

        self.config(DOMAIN.replace("mx:", "mode: enforce, mx:"))
        self.run_it("apply", "--yes", check=0)
        self.assertIn("mode: enforce\r\n", self.policy())
        self.assertNotEqual(self.sts_id(), first)
        self.run_it("plan", "--detailed-exitcode", check=0)

    def test_applying_a_hundred_times_keeps_the_id(self):
        self.zone()
        self.config(DOMAIN)
        self.run_it("apply", "--yes", check=0)
        before = (self.dir / "zones" / "example.com.zone").read_bytes()
        for _ in range(100):
            self.run_it("apply", "--yes", check=0)
        self.assertEqual((self.dir / "zones" / "example.com.zone").read_bytes(), before)

    def test_targets(self):
        for name in ("a.example", "b.example", "m\u00fcller.example".encode("idna").decode()):
            self.zone(name)
        self.config("".join(f"  {name}: {{policy: {{mx: [mail.{name}]}}}}\n"
                            for name in ("a.example", "b.example", "müller.example")))
        out = self.run_it("plan", "--target", "B.example", check=0).stdout
        self.assertIn("b.example", out)
        self.assertNotIn("a.example", out)
        self.assertIn("2 to change", self.run_it("plan", "-t", "?.example", check=0).stdout)
        self.assertIn("1 to change", self.run_it("plan", "-t", "müller.example", check=0).stdout)
        self.assertIn("1 to change", self.run_it("plan", "-t", "mü*.example", check=0).stdout)
        self.assertIn("1 to change", self.run_it("plan", "-t", "xn--m*", check=0).stdout)
        wrong = self.run_it("plan", "--target", "b.exampl", check=64)
        self.assertIn("did you mean 'b.example'?", wrong.stderr)


class ExitCodes(world.World):
    def test_refused_is_3_and_the_others_go_on(self):
        self.zone(extra="_mta-sts CNAME _mta-sts.provider.example.\n")
        self.zone("example.org")
        self.config(DOMAIN + DOMAIN.replace("example.com", "example.org"))
        plan = self.run_it("plan", check=3)
        self.assertIn("takeover: true", plan.stdout)
        result = self.run_it("apply", "--yes", check=3)
        self.assertIn("example.com: refused", result.stdout)
        self.assertIn("example.org: applied", result.stdout)
        self.assertIsNone(self.policy("example.com"))
        self.config(DOMAIN.replace("{policy", "{takeover: true, policy"))
        self.run_it("apply", "--yes", check=0)
        self.assertIsNotNone(self.sts_id())

    def test_failed_is_1_and_partly_failed_is_5(self):
        self.zone()
        self.config(DOMAIN + DOMAIN.replace("example.com", "nowhere.example"))
        self.assertIn("no zone file", self.run_it("plan", check=1).stdout)
        result = self.run_it("apply", "--yes", check=5)
        self.assertIn("nowhere.example: failed", result.stdout)
        self.assertIn("example.com: applied", result.stdout)
        self.run_it("apply", "--yes", check=1)  # nothing left that could be applied

    def test_a_malformed_zone_names_file_and_line(self):
        self.zone(extra="broken ( never closed\n")
        self.config(DOMAIN)
        out = self.run_it("plan", check=1).stdout
        self.assertIn("zones/example.com.zone", out)
        self.assertRegex(out, r"line \d+: a '\(' is never closed")

    def test_usage_is_64(self):
        for arguments in (["plna"], ["plan", "--no-such"], [], ["plan", "--json", "--markdown"],
                          ["apply", "--log-level", "loud"], ["plan", "--valid-for", "soon", "-o", "x"]):
            result = self.run_it(*arguments, check=64)
            self.assertNotEqual(result.stderr, "")
        self.assertIn("stsctl init", self.run_it("plan", check=64).stderr)  # no configuration

    def test_help_is_0(self):
        for arguments in (["--help"], ["plan", "--help"], ["apply", "--help"], ["version"]):
            self.assertNotEqual(self.run_it(*arguments, check=0).stdout, "")
        self.assertIn("Example", self.run_it("plan", "--help").stdout)

    def test_no_terminal_and_no_yes_changes_nothing(self):
        zone = self.zone()
        self.config(DOMAIN)
        before = zone.read_text()
        result = self.run_it("apply", check=64)
        self.assertIn("--yes", result.stderr)
        self.assertEqual(zone.read_text(), before)

    def test_a_termination_leaves_a_consistent_state(self):
        names = [f"d{i}.example" for i in range(300)]
        for name in names:
            self.zone(name)
        # Each zone's reload lasts until the test says so: the signal meets the middle of the work.
        reload = self.dir / "reload"
        reload.write_text("#!/bin/sh\n: > started\nuntil [ -e go ]; do sleep 0.01; done\n")
        reload.chmod(0o755)
        head = world.HEAD.replace("directory: zones}", f'directory: zones, reload: ["{reload}"]}}')
        self.config("".join(f"  {n}: {{policy: {{mx: [mail.{n}]}}}}\n" for n in names), head)
        log = self.dir / "log"
        with log.open("w") as out:
            process = subprocess.Popen([world.STSCTL, "apply", "--yes"], cwd=self.dir, stdout=out)
        deadline = time.monotonic() + 30
        while not (self.dir / "started").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        (self.dir / "go").touch()
        self.assertEqual(process.wait(timeout=60), 143)
        self.assertIn("cancelled", log.read_text())
        for name in names[::10]:
            identity = self.sts_id(name, name)
            if identity:
                self.assertEqual(identity[19:], world.digest_of(self.policy(name)))
        self.run_it("apply", "--yes", check=0)
        self.run_it("plan", "--detailed-exitcode", check=0)


class SavedPlans(world.World):
    def setUp(self):
        super().setUp()
        self.zone()
        self.config(DOMAIN)

    def test_apply_does_exactly_what_was_saved(self):
        self.run_it("plan", "-o", "plan.json", check=0)
        plan = json.loads((self.dir / "plan.json").read_text())
        announced = [s for s in plan["domains"][0]["steps"] if s["stage"] == "announce"]
        value = announced[0]["action"]["edits"][0]["after"]["values"][0]
        self.run_it("apply", "plan.json", "--yes", check=0)
        self.assertIn(self.sts_id(), value)

    def test_the_world_changed_since(self):
        self.run_it("plan", "-o", "plan.json", check=0)
        self.put_policy("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n")
        result = self.run_it("apply", "plan.json", "--yes", check=4)
        self.assertIn("the policy at its host changed", result.stdout)
        self.assertIsNone(self.sts_id())

    def test_the_configuration_changed_since(self):
        self.run_it("plan", "-o", "plan.json", check=0)
        self.config(DOMAIN.replace("mx:", "mode: enforce, mx:"))
        self.assertIn("its configuration changed: policy.mode",
                      self.run_it("apply", "plan.json", "--yes", check=4).stdout)
        self.config(DOMAIN.replace("example.com", "example.org"))
        self.assertIn("no longer in the configuration",
                      self.run_it("apply", "plan.json", "--yes", check=4).stdout)

    def test_a_plan_is_valid_for_a_while_only(self):
        self.run_it("plan", "-o", "plan.json", "--valid-for", "0s", check=0)
        plan = json.loads((self.dir / "plan.json").read_text())
        plan["valid_until"] = "2020-01-01T00:00:00Z"
        (self.dir / "plan.json").write_text(json.dumps(plan))
        self.assertIn("valid until", self.run_it("apply", "plan.json", "--yes", check=4).stdout)

    def test_a_file_that_is_no_plan(self):
        (self.dir / "plan.json").write_text("{}")
        self.assertIn("plan.json", self.run_it("apply", "plan.json", "--yes", check=64).stderr)
        self.run_it("apply", "missing.json", "--yes", check=64)


class Secrets(world.World):
    def test_no_secret_reaches_any_output(self):
        self.zone()
        self.config(DOMAIN, world.HEAD.replace(
            "directory: zones}", 'directory: zones, reload: ["${env:SECRET_WORD}"]}'))
        secret = {"SECRET_WORD": "hunter2-secret"}
        for arguments in (["validate"], ["plan"], ["plan", "--json"], ["plan", "--markdown"],
                          ["plan", "-o", "p.json"], ["status"]):
            result = self.run_it(*arguments, env=secret, check=0)
            self.assertNotIn("hunter2", result.stdout + result.stderr)
        self.assertNotIn("hunter2", (self.dir / "p.json").read_text())


class Reload(world.World):
    def test_runs_once_a_zone_and_its_failure_is_told(self):
        self.zone()
        self.config(DOMAIN, world.HEAD.replace(
            "directory: zones}", 'directory: zones, reload: [sh, -c, "echo $0 >> log", "{zone}"]}'))
        self.run_it("apply", "--yes", check=0)
        self.assertEqual((self.dir / "log").read_text(), "example.com\n" * 2)  # before and after
        self.config(DOMAIN.replace("mx:", "mode: enforce, mx:"), world.HEAD.replace(
            "directory: zones}", "directory: zones, reload: [sh, -c, 'echo no such zone >&2; exit 3']}"))
        result = self.run_it("apply", "--yes", check=1)
        self.assertIn("no such zone", result.stdout)
        self.assertIn("status 3", result.stdout)

    def test_a_failed_one_is_made_up_for_by_the_next_apply(self):
        zone = self.zone()
        before = zone.read_bytes()
        self.config(DOMAIN, world.HEAD.replace(
            "directory: zones}",
            "directory: zones, reload: [sh, -c, 'test -e up && cp zones/$0.zone served', \"{zone}\"]}"))
        result = self.run_it("apply", "--yes", check=1)
        self.assertIn("run apply again", result.stdout)
        self.assertEqual(zone.read_bytes(), before)
        self.run_it("plan", "--detailed-exitcode", check=2)  # what is not served is still to be done
        (self.dir / "up").touch()
        self.run_it("apply", "--yes", check=0)
        self.run_it("plan", "--detailed-exitcode", check=0)
        self.assertEqual((self.dir / "served").read_bytes(), zone.read_bytes())
        self.assertEqual(self.sts_id()[19:], world.digest_of(self.policy()))


if __name__ == "__main__":
    world.main()
