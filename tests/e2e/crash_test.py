"""Kills `stsctl apply` at every change it makes to the file system, in turn. The next apply always
ends at the desired state; in between there is no torn file and no id announcing an unpublished
policy."""

import os
import shutil
import signal

import world

KILL_AT = os.environ["STSCTL_KILL_LIBRARY"]
OLD = "version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 604800\r\n"
DOMAINS = """  example.com: {policy: {mode: enforce, max_age: 1w, mx: [mail.example.com]}}
  sub.example.com: {policy: {mode: testing, mx: ["*.example.com"]}}
"""


class Crash(world.World):
    def check_consistent(self, at, before):
        for domain in ("example.com", "sub.example.com"):
            identity = self.sts_id(domain)  # named-checkzone reads the whole file: not torn
            body = self.policy(domain)
            if body is not None and body != before.get(domain):
                self.assertTrue(body.endswith("max_age: 604800\r\n") or
                                body.endswith("max_age: 86400\r\n"), f"torn at {at}: {body!r}")
            if identity and len(identity) == 32:
                self.assertIsNotNone(body, f"at {at} an id announces a policy that is not served")
                if identity[19:] != world.digest_of(body):
                    # The policy is ahead of its id, never the id ahead of its policy.
                    self.assertEqual(identity[19:], world.digest_of(before[domain]), f"at {at}")
        self.assertIn(("mail.example.com", "A"), self.compiled())

    def kill_everywhere(self, prepare):
        kills = 0
        while True:
            at = kills + 1
            for name in ("zones", "www"):
                shutil.rmtree(self.dir / name)
                (self.dir / name).mkdir()
            prepare()
            before = {d: self.policy(d) for d in ("example.com", "sub.example.com")}
            result = self.run_it("apply", "--yes",
                                 env={"LD_PRELOAD": KILL_AT, "STSCTL_KILL_AT": str(at)})
            if result.returncode == 0:
                break
            self.assertEqual(result.returncode, -signal.SIGKILL, result.stderr)
            kills += 1
            self.check_consistent(at, before)
            self.run_it("apply", "--yes", check=0)
            self.run_it("plan", "--detailed-exitcode", check=0)
            for domain in ("example.com", "sub.example.com"):
                self.assertEqual(self.sts_id(domain)[19:], world.digest_of(self.policy(domain)))
        return kills

    def test_first_publication(self):
        self.config(DOMAINS)
        self.assertGreater(self.kill_everywhere(self.zone), 20)

    def test_change_of_a_policy_of_ours(self):
        def prepare():
            self.zone()
            self.config(DOMAINS.replace("enforce", "testing"))
            self.run_it("apply", "--yes", check=0)
            self.config(DOMAINS)
        self.assertGreater(self.kill_everywhere(prepare), 8)

    def test_change_under_a_foreign_id(self):
        def prepare():
            self.zone(extra='_mta-sts 300 TXT "v=STSv1; id=20200101"\n')
            self.put_policy(OLD)
        self.config(DOMAINS)
        self.assertGreater(self.kill_everywhere(prepare), 20)


if __name__ == "__main__":
    world.main()
