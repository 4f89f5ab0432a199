"""`stsctl lint`: what each flag reads, says and returns, for people and for machines."""

import json
import subprocess

import jsonschema

import world

GOOD = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 1209600\r\n"
NONE = "version: STSv1\nmode: none\nmax_age: 86400\n"

RECORD = "--record=v=STSv1; id=20260101T000000;"
REPORTS = "--tlsrpt=v=TLSRPTv1;rua=mailto:a@example.com,https://example.com/r"

# (arguments, standard input, facts besides "valid" and "findings")
VALID = [
    ([RECORD], "", {"id": "20260101T000000"}),
    (["--record", "v=STSv1;id=a", "--record", "v=spf1 -all"], "", {"id": "a"}),
    ([REPORTS], "", {"rua": ["mailto:a@example.com", "https://example.com/r"]}),
    (["--policy", "-"], GOOD, {"mode": "enforce", "max_age": 1209600, "mx": ["mail.example.com", "*.example.net"]}),
    (["--policy", "-"], NONE, {"mode": "none", "max_age": 86400, "mx": []}),
    (["--match", "*.example.com", "mail.example.com"], "", {"match": True}),
    (["--match", "MAIL.example.com", "mail.Example.com."], "", {"match": True}),
    ([RECORD, REPORTS, "--policy", "-", "--match", "*.example.com", "a.example.com"], GOOD,
     {"id": "20260101T000000", "rua": ["mailto:a@example.com", "https://example.com/r"], "mode": "enforce",
      "max_age": 1209600, "mx": ["mail.example.com", "*.example.net"], "match": True}),
]

# (arguments, standard input, facts, what one finding of severity error says, its rule)
NOT_VALID = [
    (["--record", "v=STSv1"], "", {}, "'id' is missing", "RFC 8461 §3.1"),
    (["--record", "v=STSv1; id="], "", {}, "empty", "RFC 8461 §3.1"),
    (["--policy", "-"], GOOD.replace("mail.example.com", "mail:25"), {}, "no mx pattern", "RFC 8461 §3.2"),
    (["--record", "v=STSv1; id=a b"], "", {}, "letters and digits", "RFC 8461 §3.1"),
    (["--record", "v=STSv1; id=a", "--record", "v=STSv1; id=b"], "", {}, "2 ", "RFC 8461 §3.1"),
    (["--record", "v=spf1 -all"], "", {}, "", "RFC 8461 §3.1"),
    (["--tlsrpt", "v=TLSRPTv1"], "", {}, "rua", "RFC 8460 §3"),
    (["--tlsrpt", "v=TLSRPTv1;rua=a@example.com"], "", {}, "", "RFC 8460 §3"),
    (["--policy", "-"], "", {}, "", "RFC 8461 §3.2"),
    (["--policy", "-"], GOOD.replace("enforce", "report"), {}, "mode", "RFC 8461 §3.2"),
    (["--policy", "-"], GOOD.replace("1209600", "31557601"), {}, "31557600", "RFC 8461 §3.2"),
    (["--policy", "-"], "version: STSv1\nmode: enforce\nmax_age: 86400\n", {}, "mx", "RFC 8461 §3.2"),
    (["--match", "*.example.com", "a.b.example.com"], "", {"match": False}, "exactly one label", "RFC 8461 §4.1"),
    (["--match", "*.example.com", "example.com"], "", {"match": False}, "exactly one label", "RFC 8461 §4.1"),
    (["--match", "a.example.com", "b.example.com"], "", {"match": False},
     "'a.example.com' does not match b.example.com", "RFC 8461 §4.1"),
    (["--match", "a.*.example.com", "a.b.example.com"], "", {"match": False}, "whole left-most label", "RFC 8461 §3.2"),
    (["--match", "a.example.com", "a..com"], "", {"match": False}, "", "RFC 8461 §4.1"),
    # A generated id carries the digest of its policy.
    (["--record", "v=STSv1; id=20261124T081500ZG1GABCDEFGHIJKLM;", "--policy", "-"], GOOD,
     {"id": "20261124T081500ZG1GABCDEFGHIJKLM", "mode": "enforce", "max_age": 1209600,
      "mx": ["mail.example.com", "*.example.net"]}, "another policy", "docs/policy-id.md"),
]

# (arguments, standard input, the sender or checker that reads it otherwise)
SENDERS = [
    (["--policy", "-"], NONE, "chasquid"),
    (["--policy", "-"], GOOD.replace("1209600", "0"), "chasquid"),
    (["--policy", "-"], GOOD.replace("1209600", "60"), "Stalwart"),
    (["--policy", "-"], GOOD.replace("1209600", "86400"), "Mimecast"),
    (["--policy", "-"], GOOD + "x: y\r\n", "checkdmarc"),
    (["--policy", "-"], GOOD + "mode: none\r\n", "KumoMTA"),
    (["--policy", "-"], GOOD.replace("version: STSv1\r\n", "") + "version: STSv1\r\n", "Google"),
    (["--record", "v=STSv1 ; id=a"], "", "chasquid"),
    (["--record", "v=STSv1; id=a; x=y"], "", "mailauth"),
]

# (arguments, what stderr says)
USAGE = [
    ([], "lint needs --record, --tlsrpt, --policy or --match"),
    (["--match", "*.example.com"], "--match"),
    (["--policy", "missing.txt"], "missing.txt"),
    (["--policy"], "--policy"),
    (["--records", "x"], "--records"),
    (["stray"], "stray"),
]


class Lint(world.World):
    def setUp(self):
        super().setUp()
        self.schema = json.loads((world.SOURCE / "schemas" / "lint.schema.json").read_text())

    def test_a_name_that_does_not_match_is_told_nothing_of_wildcards(self):
        said = self.run_it("lint", "--match", "a.example.com", "b.example.com", check=1).stdout
        self.assertEqual(said, "error: 'a.example.com' does not match b.example.com (RFC 8461 §4.1)\nnot valid\n")
        said = self.run_it("lint", "--match", "*", "b.example.com", check=1).stdout
        self.assertEqual(said.count("(RFC 8461 §"), 1, said)

    def machine(self, args, stdin, check):
        document = json.loads(self.run_it("lint", "--json", *args, stdin=stdin, check=check).stdout)
        jsonschema.Draft202012Validator(self.schema).validate(document)
        return document

    def test_valid(self):
        for args, stdin, facts in VALID:
            with self.subTest(args):
                document = self.machine(args, stdin, 0)
                findings = document.pop("findings")
                self.assertEqual(document, {"valid": True, **facts})
                self.assertNotIn("error", {one["severity"] for one in findings})
                text = self.run_it("lint", *args, stdin=stdin, check=0).stdout
                self.assertTrue(text.endswith("\nvalid\n"), text)
                for value in facts.values():
                    for one in value if isinstance(value, list) else [value]:
                        if isinstance(one, str):
                            self.assertIn(one.lower(), text.lower())

    def test_not_valid(self):
        for args, stdin, facts, says, rule in NOT_VALID:
            with self.subTest(args, stdin=stdin):
                document = self.machine(args, stdin, 1)
                errors = [one for one in document.pop("findings") if one["severity"] == "error"]
                self.assertEqual(document, {"valid": False, **facts})
                self.assertTrue([one for one in errors if says in one["message"] and one["rule"] == rule], errors)
                text = self.run_it("lint", *args, stdin=stdin, check=1).stdout
                self.assertTrue(text.endswith("\nnot valid\n"), text)
                for one in errors:
                    self.assertIn(f"error: {one['message']}", text)
                    self.assertNotIn(one["rule"], one["message"], "the rule is said beside it")

    def test_senders_that_reject_what_the_rfc_allows(self):
        for args, stdin, sender in SENDERS:
            with self.subTest(args, stdin=stdin):
                document = self.machine(args, stdin, 0)
                self.assertTrue([one for one in document["findings"] if one["severity"] == "warning"
                                 and one["rule"] == "interoperability" and sender in one["message"]], document)
                self.assertIn("warning: ", self.run_it("lint", *args, stdin=stdin, check=0).stdout)

    def test_what_stsctl_publishes_draws_no_finding(self):
        self.config("  example.com: {policy: {mode: enforce, max_age: 2w, mx: [mail.example.com]}}\n")
        rendered = json.loads(self.run_it("render", "example.com", "--json", check=0).stdout)
        txt = {one["owner"]: one["values"][0].strip('"') for one in rendered["records"] if one["type"] == "TXT"}
        document = self.machine(["--record", txt["_mta-sts.example.com"], "--tlsrpt", txt["_smtp._tls.example.com"],
                                 "--policy", "-"], rendered["policy"], 0)
        self.assertEqual(document["findings"], [])

    def test_policy_from_a_file_and_from_standard_input_are_alike(self):
        (self.dir / "mta-sts.txt").write_bytes(GOOD.encode())
        self.assertEqual(self.run_it("lint", "--policy", "mta-sts.txt", check=0).stdout,
                         self.run_it("lint", "--policy", "-", stdin=GOOD, check=0).stdout)

    def test_a_policy_without_end_is_cut_off(self):
        document = self.machine(["--policy", "-"], "x" * 3_000_000, 1)
        self.assertEqual(len(document["findings"]), 1)
        with open("/dev/zero", "rb") as endless:
            said = subprocess.run([world.STSCTL, "lint", "--policy", "-"], stdin=endless, timeout=60,
                                  capture_output=True, text=True)
        self.assertEqual(said.returncode, 1, said.stderr)

    def test_usage(self):
        for args, says in USAGE:
            with self.subTest(args):
                result = self.run_it("lint", *args, check=64)
                self.assertEqual(result.stdout, "")
                self.assertIn(says, result.stderr)

    def test_the_schema_rejects_what_is_not_said(self):
        document = self.machine(["--record", "v=STSv1; id=a b", "--policy", "-"], GOOD, 1)
        validator = jsonschema.Draft202012Validator(self.schema)
        for broken in ({**document, "more": 1}, {**document, "valid": "yes"}, {**document, "mode": "report"},
                       {**document, "findings": [{"rule": "x", "message": "y"}]},
                       {key: value for key, value in document.items() if key != "mx"}):
            self.assertFalse(validator.is_valid(broken), broken)


if __name__ == "__main__":
    world.main()
