"""`cmake --install` into a fresh prefix: what is there, and that it works from there."""

import json
import os
import subprocess

import world


class Install(world.World):
    def setUp(self):
        super().setUp()
        self.prefix = self.dir / "prefix"
        subprocess.run(["cmake", "--install", os.environ["STSCTL_BINARY_DIR"], "--prefix", self.prefix],
                       check=True, stdout=subprocess.DEVNULL)
        self.binary = self.prefix / "bin" / "stsctl"

    def installed(self, *args):
        return subprocess.run([self.binary, *args], cwd=self.dir, check=True, text=True,
                              capture_output=True, env={"PATH": "/usr/bin:/bin"}).stdout

    def test_files(self):
        share = self.prefix / "share"
        schemas = {path.name for path in (world.SOURCE / "schemas").glob("*.json")}
        self.assertEqual(
            {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if path.is_file()},
            {"bin/stsctl", "share/man/man1/stsctl.1", "share/bash-completion/completions/stsctl",
             "share/zsh/site-functions/_stsctl", "share/fish/vendor_completions.d/stsctl.fish",
             *(f"share/stsctl/schemas/{name}" for name in schemas)})
        self.assertIn("stsctl.schema.json", schemas)
        for path in (share / "stsctl" / "schemas").iterdir():
            self.assertIn("$schema", json.loads(path.read_text()))
        self.assertTrue(os.access(self.binary, os.X_OK))

    def test_what_the_program_makes_is_of_this_program(self):
        share = self.prefix / "share"
        for path, args in (("man/man1/stsctl.1", ["man"]),
                           ("bash-completion/completions/stsctl", ["completion", "bash"]),
                           ("zsh/site-functions/_stsctl", ["completion", "zsh"]),
                           ("fish/vendor_completions.d/stsctl.fish", ["completion", "fish"]),
                           ("stsctl/schemas/stsctl.schema.json", ["schema"])):
            self.assertEqual((share / path).read_text(), self.installed(*args), path)

    def test_the_binary_plans_and_applies(self):
        self.assertRegex(self.installed("version"), r"^stsctl \d+\.\d+\.\d+\n$")
        self.zone()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n")
        self.installed("--resolver", "none", "apply", "--yes")
        self.assertIn("mx: mail.example.com", self.policy())
        self.assertIn("Nothing to do", self.installed("--resolver", "none", "plan"))


if __name__ == "__main__":
    world.main()
