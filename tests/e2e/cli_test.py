"""Every command as one meets it: help, mistakes, starter file, what is rendered and shown."""

import json
import re

import world

COMMANDS = ["init", "validate", "plan", "apply", "status", "verify", "render", "serve", "reports import",
            "reports summary", "lint", "id explain",
            "providers", "schema", "completion", "version"]
OUR_ID = "20261124T081500ZG1GABCDEFGHIJKLM"


class Help(world.World):
    def test_the_program(self):
        text = self.run_it("--help", check=0).stdout
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command.split()[0]} ")
        listed = re.search(r"(?s)Subcommands:\n(.*?)\n\n", text).group(1)
        self.assertEqual([line.split()[0] for line in listed.splitlines() if re.match(r"  \w", line)],
                         list(dict.fromkeys(command.split()[0] for command in COMMANDS)), "COMMANDS is what there is")
        self.assertIn("Exit codes: 0 done", text)

    def test_every_command_has_an_example_of_itself(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = self.run_it(*command.split(), "--help", check=0)
                self.assertEqual(result.stderr, "")
                example = result.stdout.split("Example:\n")[1]
                self.assertRegex(example, rf"stsctl (-\S+ \S+ )?{command}")

    def test_the_examples_are_understood(self):
        """Each example, as it stands, is no usage error."""
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n  a.example: {preset: google-workspace}\n")
        (self.dir / "mta-sts.txt").write_text("version: STSv1\nmode: none\nmax_age: 86400\n")
        tried = 0
        for command in COMMANDS:
            text = self.run_it(*command.split(), "--help", check=0).stdout.split("Example:\n")[1]
            for line in filter(None, map(str.strip, text.splitlines())):
                with self.subTest(line):
                    if command in ("init", "verify", "apply", "serve"):
                        continue  # they would ask the network, need a plan, or stay
                    words = re.findall(r"'[^']*'|\S+", line.split(" > ")[0])
                    result = self.run_it(*(word.strip("'") for word in words[1:]))
                    self.assertNotEqual(result.returncode, 64, result.stderr)
                    tried += 1
        self.assertGreater(tried, 10)


class Providers(world.World):
    DNS = ["cloudflare", "powerdns", "rfc2136", "route53", "zonefile"]
    API = {"endpoint", "concurrency", "rate", "timeout", "ca_file"}

    def test_each_is_listed_with_its_settings_and_capabilities(self):
        text = self.run_it("providers", check=0).stdout
        listed = json.loads(self.run_it("providers", "--json", check=0).stdout)["dns"]
        self.assertEqual([kind["name"] for kind in listed], self.DNS)
        for kind in listed:
            with self.subTest(kind["name"]):
                section = re.search(rf"(?ms)^  {kind['name']}: .+?(?=^$)", text).group()
                for setting in kind["settings"]:
                    self.assertRegex(section, rf"(?m)^    {setting['name']} +{setting['type']} ")
                can = kind["capabilities"]
                self.assertEqual("all or none" in section, can["atomic_batch"])
                self.assertEqual("compare-and-swap" in section, can["compare_and_swap"])
                self.assertEqual("or 0: automatic" in section, can["automatic_ttl"])
                self.assertIn(f"zones written at once: {can['write_concurrency']}\n", section)
                if kind["name"] not in ("rfc2136", "zonefile"):
                    self.assertLessEqual(self.API, {setting["name"] for setting in kind["settings"]})
        self.assertLessEqual({"concurrency", "rate", "timeout"},
                             {setting["name"] for setting in listed[2]["settings"]}, "plain DNS: no TLS, no URL")


class Usage(world.World):
    # (arguments, what is wrong, where it is explained)
    CASES = [
        ([], "subcommand", "stsctl --help"),
        (["plann"], "plann", "stsctl --help"),
        (["--nonsense", "plan"], "--nonsense", "stsctl --help"),
        (["plan", "--nonsense"], "--nonsense", "stsctl plan --help"),
        (["plan", "stray"], "stray", "stsctl plan --help"),
        (["plan", "-o"], "--output", "stsctl plan --help"),
        (["plan", "--valid-for", "soon"], "soon", ""),
        (["plann"], "did you mean 'plan'?", "stsctl --help"),
        (["id", "explian", "x"], "did you mean 'explain'?", "stsctl id --help"),
        (["render", "a.example", "b.example"], "a.example", ""),
        (["id"], "subcommand", "stsctl id --help"),
        (["id", "explain"], "ID", "stsctl id explain --help"),
        (["completion"], "SHELL", "stsctl completion --help"),
        (["completion", "tcsh"], "tcsh", "stsctl completion --help"),
        (["verify", "--format", "xml"], "xml", "stsctl verify --help"),
        (["--log-level", "loud", "plan"], "loud", "stsctl --help"),
        (["-c", "missing.yaml", "plan"], "missing.yaml", ""),
        (["plan", "--target", "exmaple.com"], "did you mean 'example.com'?", ""),
        (["status", "--target", "*.org"], "*.org", ""),
        (["render", "other.example"], "other.example", ""),
        (["apply", "missing.json"], "missing.json", ""),
        (["apply", "stsctl.yaml", "--yes"], "stsctl.yaml", ""),
    ]

    def test_mistakes(self):
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")
        for args, says, advice in self.CASES:
            with self.subTest(args):
                result = self.run_it(*args, check=64)
                self.assertEqual(result.stdout, "")
                self.assertIn(says, result.stderr)
                self.assertIn(advice, result.stderr)
                self.assertLess(len(result.stderr.splitlines()), 8, "short enough to be read")

    def test_apply_asks_only_where_somebody_can_answer(self):
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")
        result = self.run_it("apply", stdin="yes\n", check=64)
        self.assertIn("--yes", result.stderr)
        self.assertIsNone(self.policy())

    def test_a_word_cannot_drive_the_terminal(self):
        result = self.run_it("pl\x1b[2Jan", check=64)
        self.assertNotIn("\x1b", result.stderr)


class Init(world.World):
    def test_writes_once(self):
        out = self.run_it("init", check=0).stdout
        self.assertIn("Wrote stsctl.yaml", out)
        path = self.dir / "stsctl.yaml"
        path.write_text("mine")
        refused = self.run_it("init", check=1)
        self.assertEqual((refused.stdout, path.read_text()), ("", "mine"))
        self.assertIn("stsctl.yaml exists and is kept", refused.stderr)
        self.assertIn("--force", refused.stderr)
        self.run_it("init", "--force", check=0)
        self.assertIn("version: 1", path.read_text())

    def test_elsewhere(self):
        self.run_it("-c", "other.yaml", "init", check=0)
        self.run_it("-c", "other.yaml", "validate", check=0)
        self.assertFalse((self.dir / "stsctl.yaml").exists())
        result = self.run_it("-c", "no/such/folder/stsctl.yaml", "init", check=1)
        self.assertIn("no/such/folder", result.stderr)

    def test_every_line_of_it_is_explained_and_works(self):
        self.run_it("init", check=0)
        text = (self.dir / "stsctl.yaml").read_text()
        for key in ("version", "dns", "hosts", "defaults", "domains", "include"):
            self.assertRegex(text, rf"(?m)^(# )?{key}:")
        self.assertGreater(text.count("#"), 10)
        self.zone()
        self.run_it("apply", "--yes", check=0)
        self.assertIn("mode: testing", self.policy())


class Render(world.World):
    def setUp(self):
        super().setUp()
        self.config("""  example.com: {policy: {mx: [mail.example.com, "*.b.example.com"]}}
  münchen.example: {policy: {mode: none}}
""")

    def test_text_is_a_zone_file_and_a_policy(self):
        text = self.run_it("render", "example.com", check=0).stdout
        self.assertRegex(text, r'(?m)^_mta-sts\.example\.com\.\t300\tIN\tTXT\t"v=STSv1; id=[A-Z0-9]{32};?"$')
        self.assertIn('_smtp._tls.example.com.\t', text)
        self.assertIn("mta-sts.example.com.\t3600\tIN\tCNAME\tweb.example.net.\n", text)
        self.assertTrue(text.endswith("; https://mta-sts.example.com/.well-known/mta-sts.txt\nversion: STSv1\n"
                                      "mode: testing\nmx: mail.example.com\nmx: *.b.example.com\nmax_age: 86400\n"), text)

    def test_json(self):
        document = json.loads(self.run_it("render", "MÜNCHEN.example", "--json", check=0).stdout)
        self.assertEqual(document["domain"], "xn--mnchen-3ya.example")
        self.assertEqual(document["policy"], "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n")
        self.assertEqual({(one["owner"], one["type"]) for one in document["records"]},
                         {("_mta-sts.xn--mnchen-3ya.example", "TXT"), ("_smtp._tls.xn--mnchen-3ya.example", "TXT"),
                          ("mta-sts.xn--mnchen-3ya.example", "CNAME")})
        (sts,) = (one for one in document["records"] if one["owner"].startswith("_mta-sts."))
        self.assertIn(world.digest_of(document["policy"]), sts["values"][0])

    def test_nothing_is_touched(self):
        self.run_it("render", "example.com", check=0)
        self.assertEqual([*(self.dir / "www").iterdir(), *(self.dir / "zones").iterdir()], [])


class Status(world.World):
    def test_json_tells_what_is_published_and_what_differs(self):
        self.zone()
        self.zone("new.example")
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n  new.example: {policy: {mx: [mail.new.example]}}\n"
                    "  lost.example: {policy: {mx: [mail.lost.example]}}\n")
        self.run_it("apply", "--yes", "-t", "example.com", check=0)
        document = json.loads(self.run_it("status", "--json", check=1).stdout)
        self.assertEqual((document["format"], document["version"]), ("stsctl-status", 1))
        lost, new, done = (next(one for one in document["domains"] if one["domain"] == name)
                           for name in ("lost.example", "new.example", "example.com"))
        self.assertEqual({**done, "age": min(done["age"], 60)},
                         {"domain": "example.com", "mode": "testing", "id": self.sts_id(), "age": done["age"],
                          "in_sync": True, "state": "in sync", "older_until": None, "later": [],
                          "rollout": None})
        self.assertEqual(new, {"domain": "new.example", "mode": None, "id": None, "age": None, "in_sync": False,
                               "state": "TLS-RPT, address, policy, id differ", "older_until": None,
                               "later": [], "rollout": None})
        self.assertFalse(lost["in_sync"])
        self.assertIn("not readable", lost["state"])
        self.run_it("status", "--json", "--target", "*example.com", check=0)

    def test_a_policy_changed_by_hand(self):
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")
        self.run_it("apply", "--yes", check=0)
        self.put_policy(self.policy().replace("testing", "enforce"))
        (row,) = json.loads(self.run_it("status", "--json", check=0).stdout)["domains"]
        self.assertEqual((row["mode"], row["in_sync"]), ("enforce", False))
        self.assertIn("policy", row["state"])


class IdExplain(world.World):
    def test_ours(self):
        text = self.run_it("id", "explain", OUR_ID, check=0).stdout
        self.assertIn("2026-11-24T08:15:00Z", text)
        self.assertIn("ABCDEFGHIJKLM", text)
        document = json.loads(self.run_it("id", "explain", "--json", OUR_ID, check=0).stdout)
        self.assertEqual((document["id"], document["generated"], document["published"], document["digest"]),
                         (OUR_ID, True, "2026-11-24T08:15:00Z", "ABCDEFGHIJKLM"))
        self.assertRegex(document["horizon"], r"^2\d{3}-\d\d-\d\d$")

    def test_against_a_policy(self):
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")
        self.run_it("apply", "--yes", check=0)
        path = self.dir / "policy.txt"
        path.write_text(self.policy())
        self.assertIn("announces this policy", self.run_it("id", "explain", self.sts_id(), "--policy", path, check=0).stdout)
        path.write_text(self.policy().replace("testing", "enforce"))
        self.assertIn("announces another policy",
                      self.run_it("id", "explain", self.sts_id(), "--policy", path, check=1).stdout)
        document = json.loads(self.run_it("id", "explain", self.sts_id(), "--json", "--policy", path, check=1).stdout)
        self.assertIs(document["announces"], False)
        path.write_text("no policy")
        self.assertIn("RFC 8461", self.run_it("id", "explain", self.sts_id(), "--policy", path, check=64).stderr)
        self.assertIn("gone.txt", self.run_it("id", "explain", self.sts_id(), "--policy", "gone.txt", check=64).stderr)

    def test_those_of_others(self):
        for other in ("1", "20160831085700Z", "abcDEF123"):
            self.assertIn("did not make", self.run_it("id", "explain", other, check=0).stdout)
            self.assertEqual(json.loads(self.run_it("id", "explain", "--json", other, check=0).stdout),
                             {"id": other, "generated": False})
        for wrong in ("a-b", "a" * 33, ""):
            self.assertIn("RFC 8461", self.run_it("id", "explain", wrong, check=1).stderr)


if __name__ == "__main__":
    world.main()
