"""The completions in the shells themselves, and the man page before the tools that read it."""

import os
import pty
import select
import subprocess
import time

import world


class Completions(world.World):
    def setUp(self):
        super().setUp()
        for shell in ("bash", "zsh", "fish"):
            (self.dir / f"stsctl.{shell}").write_text(self.run_it("completion", shell, check=0).stdout)
        (self.dir / "saved plan.json").touch()

    def out(self, *argv):
        """stdout of a program that says nothing on stderr; no shell reads a start-up file."""
        result = subprocess.run(argv, cwd=self.dir, text=True, capture_output=True, timeout=60,
                                env={**os.environ, "HOME": str(self.dir)})
        self.assertEqual((result.returncode, result.stderr), (0, ""), argv)
        return result.stdout

    def typed(self, argv, prepare, keys, expected):
        """What is on the terminal of an interactive shell after `keys`, once `expected` is there."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.dir)
            os.environ.update(HOME=str(self.dir), TERM="dumb", PS1="$ ", PATH=f"{os.path.dirname(world.STSCTL)}:{os.environ['PATH']}")
            os.execvp(argv[0], argv)
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.close, terminal)
        deadline = time.monotonic() + 60
        seen = b""

        def wait_for(text, start):
            nonlocal seen
            while text not in seen[start:]:
                self.assertLess(time.monotonic(), deadline, seen.decode(errors="replace"))
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 4096)

        # The shell's answer to what prepares it, which differs from its echo of the command.
        os.write(terminal, f"{prepare}; echo REA''DY\n".encode())
        wait_for(b"READY", 0)
        start = len(seen)
        os.write(terminal, keys.encode())
        wait_for(expected.encode(), start)
        return seen[start:].decode(errors="replace")

    CASES = [
        # (what stands before the cursor, among what is offered, not among it)
        ("stsctl pl", ["plan"], ["apply", "--config"]),
        ("stsctl ", ["plan", "apply", "id"], ["man", "explain"]),
        ("stsctl --l", ["--log-level"], ["--config"]),
        ("stsctl --log-level ", ["error", "warn", "info", "debug"], ["plan"]),
        ("stsctl --log-level debug pl", ["plan"], ["debug"]),
        ("stsctl plan --", ["--json", "--target", "--markdown"], ["--yes", "--config"]),
        ("stsctl -c other.yaml apply --y", ["--yes"], ["--json"]),
        ("stsctl id ", ["explain"], ["plan"]),
        ("stsctl id explain --p", ["--policy"], ["--json"]),
        ("stsctl completion ", ["bash", "zsh", "fish"], ["plan"]),
        ("stsctl verify --format j", ["json", "junit"], ["text"]),
        ("stsctl apply sav", ["saved plan.json"], ["--yes"]),
        ("stsctl plan -o sav", ["saved plan.json"], ["--yes"]),
        ("stsctl plan --target sav", [], ["saved plan.json", "--json"]),
        ("stsctl validate sav", [], ["saved plan.json"]),
    ]

    def check(self, offers):
        for line, there, absent in self.CASES:
            with self.subTest(line):
                offered = offers(line)
                for word in there:
                    self.assertIn(word, offered)
                for word in absent:
                    self.assertNotIn(word, offered)

    def test_bash(self):
        self.out("bash", "-n", "stsctl.bash")
        self.assertIn("-F _stsctl stsctl", self.out("bash", "--norc", "-c", ". ./stsctl.bash; complete -p stsctl"))

        def offers(line):
            return self.out("bash", "--norc", "-c", """
                . ./stsctl.bash
                COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=($1)
                [[ $1 == *' ' ]] && COMP_WORDS+=('')
                COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
                _stsctl stsctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
                printf '%s\\n' "${COMPREPLY[@]}" """, "bash", line).splitlines()
        self.check(offers)

    def test_bash_on_a_terminal(self):
        bash = ["bash", "--norc", "--noprofile", "-i"]
        self.typed(bash, ". ./stsctl.bash", "stsctl sta\t", "stsctl status ")
        self.typed(bash, ". ./stsctl.bash", "stsctl plan --mark\t", "stsctl plan --markdown ")
        self.typed(bash, ". ./stsctl.bash", "stsctl apply sav\t", "stsctl apply saved\\ plan.json")
        self.typed(bash, ". ./stsctl.bash", "stsctl verify --format=prom\t", "--format=prometheus ")

    def test_fish(self):
        self.out("fish", "--no-execute", "stsctl.fish")

        def offers(line):
            # Each line is a word and, after a tab, its description.
            lines = self.out("fish", "--no-config", "-c", "source stsctl.fish; complete -C $argv", line)
            return [one.split("\t")[0].replace("\\ ", " ") for one in lines.splitlines()]
        self.check(offers)

    def test_zsh(self):
        self.out("zsh", "-f", "-n", "stsctl.zsh")
        functions = self.dir / "functions"
        functions.mkdir()
        (self.dir / "stsctl.zsh").rename(functions / "_stsctl")
        prepare = "fpath=(./functions $fpath); autoload -U compinit; compinit -u -D; zstyle ':completion:*' verbose no"
        zsh = ["zsh", "-f", "-i"]
        # The first completion in a shell autoloads the function.
        self.typed(zsh, prepare, "stsctl sta\t", "status ")
        self.typed(zsh, prepare, "stsctl plan --mark\t", "--markdown ")
        self.typed(zsh, prepare, "stsctl apply sav\t", "saved\\ plan.json")
        self.typed(zsh, prepare, "stsctl verify --format prom\t", "prometheus ")
        self.typed(zsh, prepare, "stsctl verify --format=prom\t", "--format=prometheus ")
        self.typed(zsh, prepare, "stsctl id ex\t", "explain ")
        shown = self.typed(zsh, prepare.replace("verbose no", "verbose yes"), "stsctl \t\t", "Check the configuration")
        self.assertIn("plan", shown)


class ManPage(world.World):
    def setUp(self):
        super().setUp()
        self.page = self.dir / "stsctl.1"
        self.page.write_text(self.run_it("man", check=0).stdout)

    def test_no_reader_complains(self):
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", self.page], capture_output=True, text=True)
        # It has the version in place of a date, so that one source gives one page.
        complaints = [line for line in lint.stdout.splitlines() if "missing date" not in line]
        self.assertEqual(complaints, [])
        groff = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z", self.page],
                               capture_output=True, text=True)
        self.assertEqual((groff.returncode, groff.stderr), (0, ""))

    def test_every_command_is_in_it(self):
        text = subprocess.run(["mandoc", "-T", "ascii", self.page], capture_output=True, text=True, check=True).stdout
        plain = world.re.sub(".\b", "", text)
        for command in ("init", "validate", "plan", "apply", "verify", "status", "render DOMAIN", "lint", "id explain", "completion"):
            self.assertIn(f"stsctl {command.split(' DOMAIN')[0]}", plain)
        for option in ("--log-level LEVEL", "-o, --output FILE", "'*.example.com' mail.example.com"):
            self.assertIn(option, plain)


if __name__ == "__main__":
    world.main()
