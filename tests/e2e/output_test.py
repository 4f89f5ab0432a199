"""What a person, a pipeline and a pull request get to see: golden texts. STSCTL_UPDATE=1 rewrites
them; ids, dates and times are masked."""

import json
import os
import pathlib
import pty
import re
import select
import subprocess
import time

import jsonschema

import world

GOLDEN = pathlib.Path(__file__).parent / "golden"


def masked(text):
    text = re.sub(r"\b\d{8}T\d{6}Z[0-9A-Z]{3}([A-Z2-7]{13})\b", r"<WHEN><UNTIL>\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<TIME>", text)
    text = re.sub(r"until \d{4}-\d\d-\d\d", "until <DAY>", text)
    return re.sub(r"\d+ seconds?", "<AGE>", text)


class Golden(world.World):
    def setUp(self):
        super().setUp()
        self.zone()
        self.zone("example.org", '_smtp._tls TXT "v=TLSRPTv1;rua=mailto:tls@example.net"\n')
        self.zone("taken.example", "_mta-sts CNAME _mta-sts.provider.example.\n")
        self.config("""  example.com: {policy: {mx: [mail.example.com, "*.backup.example.com"]}}
  example.org: {preset: google-workspace}
  taken.example: {policy: {mx: [mail.taken.example]}}
  missing.example: {policy: {mx: [mail.missing.example]}}
""")

    def check(self, name, text):
        path = GOLDEN / name
        text = masked(text)
        if os.environ.get("STSCTL_UPDATE"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.assertEqual(text, path.read_text())

    def test_plan(self):
        self.check("plan.txt", self.run_it("plan", check=3).stdout)
        self.check("plan.md", self.run_it("plan", "--markdown", check=3).stdout)

    def test_change(self):
        self.run_it("apply", "--yes", "-t", "example.com", check=0)
        text = (self.dir / "stsctl.yaml").read_text()
        self.config(text.split("domains:\n")[1].replace(
            "mx: [mail.example.com", "mode: enforce, max_age: 1w, mx: [mail2.example.com"))
        self.check("change.txt", self.run_it("plan", "-t", "example.com", check=0).stdout)

    def test_apply_and_status(self):
        self.check("apply.txt", self.run_it("apply", "--yes", check=5).stdout)
        # How wide the table's columns are depends on how old the ids are.
        self.check("status.txt", re.sub(" {2,}", "  ", self.run_it("status", check=1).stdout))

    def test_json_follows_its_schemas(self):
        def schema(name):
            return json.loads((world.SOURCE / "schemas" / f"{name}.schema.json").read_text())

        plan = json.loads(self.run_it("plan", "--json", check=3).stdout)
        jsonschema.Draft202012Validator(schema("plan")).validate(plan)
        outcome = json.loads(self.run_it("apply", "--yes", "--json", check=5).stdout)
        jsonschema.Draft202012Validator(schema("apply")).validate(outcome)
        status = json.loads(self.run_it("status", "--json", check=1).stdout)
        jsonschema.Draft202012Validator(schema("status")).validate(status)
        for name, document in (("plan", plan), ("apply", outcome), ("status", status)):
            del document["domains"][0]["domain"]  # a schema that cannot fail checks nothing
            with self.assertRaises(jsonschema.ValidationError):
                jsonschema.Draft202012Validator(schema(name)).validate(document)


class Markdown(world.World):
    def test_a_long_comment_is_cut_and_says_so(self):
        names = [f"d{i:04}.example" for i in range(400)]
        for name in names:
            self.zone(name)
        self.zone("zz.example", "_mta-sts CNAME _mta-sts.provider.example.\n")
        self.config("".join(f"  {n}: {{policy: {{mx: [mail.{n}]}}}}\n" for n in names + ["zz.example"]))
        text = self.run_it("plan", "--markdown", check=3).stdout
        self.assertLess(len(text.encode()), 65000)
        self.assertTrue(text.startswith("**stsctl plan:** 400 to change"))
        self.assertIn("takeover", text)  # what needs attention comes first, so it is never cut
        self.assertRegex(text, r"_\d+ more domains are not shown")


class Terminal(world.World):
    """A real pseudo-terminal: colour, the question, progress."""

    def on_terminal(self, *arguments, answer=None, env=None):
        parent, child = pty.openpty()
        process = subprocess.Popen([world.STSCTL, *arguments], cwd=self.dir, stdin=child, stdout=child,
                                   stderr=child, env={**os.environ, **(env or {})})
        os.close(child)
        out = b""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if select.select([parent], [], [], 0.1)[0]:
                try:
                    data = os.read(parent, 65536)
                except OSError:
                    break
                if not data:
                    break
                out += data
                if answer and b"taken for one: " in out:
                    os.write(parent, answer.encode() + b"\n")
                    answer = None
        os.close(parent)
        return process.wait(timeout=30), out.decode()

    def setUp(self):
        super().setUp()
        self.path = self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")

    def test_only_yes_is_consent(self):
        before = self.path.read_text()
        for answer in ("y", "no", ""):
            code, out = self.on_terminal("apply", answer=answer or " ")
            self.assertEqual(code, 1, out)
            self.assertIn("Nothing was changed", out)
            self.assertEqual(self.path.read_text(), before)
        code, out = self.on_terminal("apply", answer="yes")
        self.assertEqual(code, 0, out)
        self.assertNotEqual(self.path.read_text(), before)
        code, out = self.on_terminal("apply")  # nothing to do: nothing to ask
        self.assertEqual(code, 0, out)

    def test_colour_only_where_it_is_wanted(self):
        self.assertIn("\x1b[32m", self.on_terminal("plan")[1])
        self.assertNotIn("\x1b[", self.on_terminal("plan", env={"NO_COLOR": "1"})[1])
        self.assertNotIn("\x1b[", self.on_terminal("--no-color", "plan")[1])
        self.assertNotIn("\x1b[", self.run_it("plan").stdout)


if __name__ == "__main__":
    world.main()
