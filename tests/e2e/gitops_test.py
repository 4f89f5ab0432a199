"""The pipelines of examples/gitops: their steps, run as scripts, and that they call nothing else."""

import os
import shutil
import subprocess

import yaml

import reports_test
import rollout_test
import world

EXAMPLE = world.SOURCE / "examples" / "gitops"


class GitOps(world.World):
    def setUp(self):
        super().setUp()
        for name in ("plan", "apply", "nightly"):
            shutil.copy(EXAMPLE / name, self.dir / name)
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "stsctl").symlink_to(world.STSCTL)
        self.zone()
        self.want("rollout: reported, policy: {mx: [mail.example.com]}")

    def want(self, domain):
        self.config(f"  example.com: {{{domain}}}\n", rollout_test.HEAD)

    def step(self, name, check=0):
        result = subprocess.run(
            [self.dir / name], cwd=self.dir, capture_output=True, text=True,
            env={**os.environ, "PATH": f"{self.dir}/bin:{os.environ['PATH']}"})
        self.assertEqual(result.returncode, check, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_a_pull_request_shows_what_it_would_change(self):
        self.step("plan")
        comment = (self.dir / "plan.md").read_text()
        self.assertTrue(comment.startswith("**stsctl plan:** 1 to change"), comment)
        self.assertIsNone(self.policy(), "nothing is changed")

    def test_a_pull_request_that_is_wrong_fails(self):
        self.want("policy: {mode: enfroce}")
        self.assertIn("did you mean 'enforce'?", self.step("plan", check=64))

    def test_a_change_that_is_refused_fails(self):
        self.put_policy("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 864000\r\n")
        self.assertIn("its rollout stops", self.step("plan", check=3))
        self.assertIn("refused", (self.dir / "plan.md").read_text())

    def test_a_merge_and_the_nights_after_it(self):
        self.step("apply")
        self.assertIn("mode: testing", self.policy())
        self.step("nightly")
        self.assertIn("mode: testing", self.policy(), "no reports, no promotion")

        path = self.dir / "zones/example.com.zone"
        path.write_text(path.read_text().replace(self.sts_id(), world.older(self.sts_id(), 9)))
        (self.dir / "inbox").mkdir()
        said = reports_test.report(1, policy=self.policy().split("\r\n")[:-1], good=200)
        (self.dir / "inbox" / "mail.eml").write_text(reports_test.mail(said, "sender.example"))
        self.step("nightly")
        self.assertIn("mode: enforce", self.policy())
        self.assertIn("example.com", (self.dir / "reports.html").read_text())
        self.step("plan")
        self.step("nightly")
        self.assertIn("mode: enforce", self.policy())

    def test_the_pipelines_run_these_steps_at_their_times(self):
        github = yaml.safe_load((EXAMPLE / ".github/workflows/mta-sts.yml").read_text())
        events = {"plan": "pull_request", "apply": "push", "nightly": "schedule"}
        self.assertEqual(set(github["jobs"]), set(events))
        for name, job in github["jobs"].items():
            runs = [step["run"] for step in job["steps"] if step.get("run", "").startswith("./")]
            self.assertEqual(runs, [f"./{name}"])
            self.assertEqual(job["if"], f"github.event_name == '{events[name]}'")
            self.assertIn(events[name], github[True])  # YAML 1.1 reads "on" as true
        gitlab = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())
        for name in events:
            self.assertEqual(gitlab[name]["script"], [f"./{name}"])
            self.assertIn(gitlab[name]["stage"], gitlab["stages"])


if __name__ == "__main__":
    world.main()
