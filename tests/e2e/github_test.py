"""plan and apply with policies at GitHub: the binary against the emulator's real repositories."""

import sys

import world

sys.path.insert(0, str(world.SOURCE / "tests" / "emulators"))
import running

HEAD = """version: 1
dns:
  zones: {{provider: zonefile, directory: zones}}
hosts:
  hub: {{provider: github, endpoint: "http://127.0.0.1:{port}", token: "${{env:GITHUB_TOKEN}}", write_interval: 0s, edge_delay: 0s, {host}}}
defaults:
  dns: zones
  host: hub
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["mailto:tls@example.net"]}}
domains:
"""
TOKEN = "github_pat_11ABCDEFG"
DOMAINS = ["a.example", "b.example", "c.example"]


class GitHub(world.World):
    def start(self, repositories):
        emulator = running.Emulator("github.py")
        self.addCleanup(emulator.stop)
        self.port, self.control = emulator.port, emulator.control
        self.control("PUT", "state", {"tokens": {TOKEN: {"login": "mail-team", "permissions": {
            "contents": "write", "pages": "read"}}}, "repositories": repositories})

    def branch(self, repository):
        return self.control("GET", "state")["repositories"][repository]["branches"]["main"]

    def config_of(self, host, more=""):
        for name in DOMAINS:
            if not (self.dir / "zones" / f"{name}.zone").exists():
                self.zone(name)
        self.config("".join(f"  {name}: {{policy: {{mx: [mail.{name}]{more}}}}}\n" for name in DOMAINS),
                    HEAD.format(port=self.port, host=host))

    def tool(self, *arguments, check):
        result = self.run_it(*arguments, env={"GITHUB_TOKEN": TOKEN}, check=check)
        self.assertNotIn(TOKEN, result.stdout + result.stderr)
        return result

    def test_one_commit_for_all_domains_and_then_nothing_to_do(self):
        self.start({"mail/policies": {}})
        host = "layout: repository, repository: mail/policies, address: {cname: web.example.net}"
        self.config_of(host)
        self.tool("plan", "--detailed-exitcode", check=2)
        self.tool("apply", "--yes", check=0)
        self.tool("plan", "--detailed-exitcode", check=0)
        main = self.branch("mail/policies")
        self.assertEqual(len(main["commits"]), 2)
        for name in DOMAINS:
            self.assertIn(f"mx: mail.{name}\r\n", main["files"][f"mta-sts.{name}/.well-known/mta-sts.txt"])
            self.assertEqual(self.compiled(name)[(f"mta-sts.{name}", "CNAME")], ["web.example.net."])
        ids = [self.sts_id(name, name) for name in DOMAINS]

        self.config_of(host, ", mode: enforce")
        self.tool("apply", "--yes", check=0)
        self.tool("plan", "--detailed-exitcode", check=0)
        main = self.branch("mail/policies")
        self.assertEqual(len(main["commits"]), 3)
        self.assertEqual(main["commits"][0]["message"],
                         "Change the MTA-STS policies of 3 domains\n\n" +
                         "".join(f"- {name}: mode testing -> enforce\n" for name in DOMAINS))
        for name, old in zip(DOMAINS, ids):
            self.assertNotEqual(self.sts_id(name, name), old)

    def test_pages_gives_each_domain_its_site_and_its_name(self):
        self.start({f"Mail/mta-sts-{name}": {"pages": {}} for name in DOMAINS})
        host = 'repository: "Mail/mta-sts-{domain}"'
        self.config_of(host)
        self.tool("apply", "--yes", check=0)
        self.tool("plan", "--detailed-exitcode", check=0)
        for name in DOMAINS:
            files = self.branch(f"Mail/mta-sts-{name}")["files"]
            self.assertEqual(files["CNAME"], f"mta-sts.{name}\n")
            self.assertIn(".nojekyll", files)
            self.assertIn("mode: testing\r\n", files[".well-known/mta-sts.txt"])
            self.assertEqual(self.compiled(name)[(f"mta-sts.{name}", "CNAME")], ["mail.github.io."])

    def test_an_id_is_announced_only_for_a_site_that_is_served(self):
        repositories = {f"mail/mta-sts-{name}": {"pages": {}} for name in DOMAINS}
        repositories["mail/mta-sts-b.example"]["pages"] = None
        self.start(repositories)
        self.config_of('repository: "mail/mta-sts-{domain}"')
        out = self.tool("apply", "--yes", check=5)
        self.assertIn("GitHub Pages is off", out.stdout + out.stderr)
        self.assertEqual([bool(self.sts_id(name, name)) for name in DOMAINS], [True, False, True])
        self.assertEqual(len(self.branch("mail/mta-sts-b.example")["commits"]), 1)


if __name__ == "__main__":
    world.main()
