"""Configurations that would eat time or memory, and those that lead in circles: a clear error, soon."""

import os
import pathlib
import subprocess
import time

import world

SANITIZED = bool(os.environ.get("STSCTL_SANITIZE"))
MEBIBYTE = 1 << 20
HEAD = "version: 1\ndomains:\n"


class Robust(world.World):
    def validate(self, seconds=60, mebibytes=1024, code=64):
        """stderr of `stsctl validate`, which must end so within these bounds."""
        begin = time.monotonic()
        with open(self.dir / "stderr", "w+") as stderr:
            child = subprocess.Popen([world.STSCTL, "validate"], cwd=self.dir, stdout=subprocess.DEVNULL, stderr=stderr)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - begin
        text = (self.dir / "stderr").read_text()
        self.assertEqual(child.returncode, code, text[:1000])
        if not SANITIZED:  # which make both several times as large
            self.assertLess(took, seconds)
            self.assertLess(usage.ru_maxrss // 1024, mebibytes)
        self.assertLess(len(text), 50_000, "short enough to be read")
        return text

    def write(self, text, name="stsctl.yaml"):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def test_a_file_of_100_megabytes(self):
        path = self.dir / "stsctl.yaml"
        with path.open("wb") as file:
            file.write((HEAD + "  example.com: {preset: proton}\n").encode())
            file.truncate(100_000_000)
        text = self.validate(seconds=20, mebibytes=64)
        self.assertIn("stsctl.yaml: error: longer than 33554432 bytes", text)
        self.assertIn("'include' spreads domains over several", text)

    def test_an_included_file_of_100_megabytes(self):
        with self.write("", "more/big.yaml").open("wb") as file:
            file.truncate(100_000_000)
        self.write("version: 1\ninclude: more/*.yaml\n")
        text = self.validate(seconds=20, mebibytes=64)
        self.assertIn("stsctl.yaml:2:10: error: more/big.yaml: longer than 33554432 bytes", text)

    def test_texts_that_are_hard_to_read(self):
        size = 2 * MEBIBYTE

        def filled(unit, head=HEAD):
            return head + unit * ((size - len(head)) // len(unit))

        cases = {
            "brackets": filled("["),
            "braces": filled("{"),
            "dashes": filled("- "),
            "an open quote": filled("x", HEAD + '  "'),
            "one long word": filled("x"),
            "one key after another": "".join(f"k{i}: 1\n" for i in range(100_000)),
            "one item after another": filled("1,", HEAD + "  example.com: ["),
            "empty domains": HEAD + "".join(f"  d{i:07}.example:\n" for i in range(100_000)),
            "one fault after another": HEAD + "".join(f"  d{i:06}.example: {{polcy: x}}\n" for i in range(40_000)),
            "anchors": filled("&a ", HEAD + "  a: "),
            "anchored items": HEAD + "  a: [" + ",".join(f"&a{i} x" for i in range(100_000)),
            "tags": filled("!a ", HEAD + "  a: "),
            "question marks": filled("? "),
            "block scalar": filled("    x\n", HEAD + "  a: |\n"),
            "plain text over lines": filled("    x\n", HEAD + "  a:\n"),
            "quoted escapes": filled("\\u0041", HEAD + '  a: "'),
        }
        for name, text in cases.items():
            with self.subTest(name):
                path = self.write(text)
                self.assertGreater(path.stat().st_size, MEBIBYTE // 2)
                self.assertIn("stsctl.yaml:", self.validate())

    def test_nothing_in_many_bytes(self):
        for unit in (" ", "#", "\n"):
            with self.subTest(unit):
                self.write(HEAD + unit * (8 * MEBIBYTE))
                self.validate(code=0)

    def test_settings_that_do_not_fit_together(self):
        self.write("version: 1\ndns:\n"
                   "  cf: {provider: cloudflare}\n"
                   "  files: {provider: zonefile, directory: zones, path: zone}\n"
                   "  bind: {provider: rfc2136, server: 127.0.0.1, key: {name: k, secret: '${env:KEY}'}}\n"
                   "hosts:\n"
                   "  web: {provider: directory, root: www, address: {a: [192.0.2.1, 192.0.2.256]}}\n"
                   "  files: {provider: directory, root: www, path: policy}\n")
        os.environ["KEY"] = "no/base64!"
        self.addCleanup(os.environ.pop, "KEY")
        text = self.validate()
        for place in ("3:3: error: cloudflare needs either 'token' or both 'email' and 'key'",
                      "4:55: error: 'path' must hold {zone} once",
                      "5:71: error: the TSIG key cannot be used",
                      "7:54: error: '192.0.2.256' is no IPv4 address",
                      "8:49: error: 'path' must hold {domain}"):
            self.assertIn("stsctl.yaml:" + place, text)
        self.assertNotIn("base64!", text)

    def test_include_cycles(self):
        self.write("version: 1\ninclude: more/*.yaml\n")
        self.write("include: b.yaml\n", "more/a.yaml")
        self.write("include: ../stsctl.yaml\n", "more/b.yaml")
        text = self.validate()
        self.assertIn("more/b.yaml:1:10: error: 'stsctl.yaml' includes itself, "
                      "by way of more/a.yaml and more/b.yaml", text)
        self.assertIn("include: ../stsctl.yaml\n             ^", text)
        self.assertIn("hint: give included files a folder of their own", text)

    def test_a_chain_of_includes(self):
        self.write("version: 1\ninclude: c0.yaml\n")
        for i in range(40):
            self.write(f"include: c{i + 1}.yaml\n", f"c{i}.yaml")
        self.assertIn("includes are nested deeper than 16 files", self.validate())

    def test_includes_that_are_no_files(self):
        (self.dir / "folder.yaml").mkdir()
        os.mkfifo(self.dir / "pipe.yaml")
        self.write("version: 1\ninclude: [folder.yaml, pipe.yaml, 'none/*.yaml']\n")
        text = self.validate()
        self.assertIn("error: folder.yaml: cannot read: it is a folder", text)
        self.assertIn("error: no file fits 'none/*.yaml'", text)

    def test_an_alias_bomb(self):
        bomb = "\n".join(f"  {chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]" for i in range(9))
        self.write(f"version: 1\ndefaults:\n  a: &a [x,x,x,x,x,x,x,x,x]\n{bomb}\n")
        text = self.validate(seconds=20, mebibytes=256)
        self.assertIn("error: aliases add more than 100000 nodes", text)
        self.assertIn("hint: write the repeated part once", text)

    def test_100_faults_are_shown_and_the_rest_counted(self):
        self.write("version: 1\ndns: {z: {provider: zonefile, directory: z}}\ndefaults: {dns: z}\ndomains:\n"
                   + "".join(f"  d{i}.example: {{presett: proton}}\n" for i in range(500)))
        text = self.validate()
        self.assertEqual(text.count("unknown key 'presett'"), 100)
        self.assertIn("400 more faults are not shown", text)


if __name__ == "__main__":
    world.main()
