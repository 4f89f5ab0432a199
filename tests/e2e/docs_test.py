"""What the pages tell to configure, tried on the servers."""

import re
import subprocess

import name_servers
import world

PAGE = (world.SOURCE / "docs" / "providers" / "rfc2136.md").read_text()


def block(language):
    """The one code block of the page in that language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return text


class DocumentedBind(name_servers.Bind):
    def prepare(self):
        self.zone = ""  # only what the page says
        super().prepare()
        text = block("named").replace('include "/etc/bind/stsctl.key";', "")
        text = text.replace("/var/lib/bind", str(self.folder))
        with open(self.folder / "named.conf", "a") as conf:
            conf.write(text)


class DocumentedKnot(name_servers.Knot):
    def prepare(self):
        self.zone, self.each = block("knot").replace("/var/lib/knot", str(self.folder)), ""
        super().prepare()


class DocumentedPowerDns(name_servers.PowerDns):
    def prepare(self):
        super().prepare()
        subprocess.run(["sqlite3", self.folder / "pdns.db"], check=True, text=True,
                       input="DELETE FROM tsigkeys; DELETE FROM domainmetadata WHERE kind LIKE 'TSIG%';")
        for command in [*block("sh").splitlines(), "pdnsutil list-tsig-keys"]:
            program, *arguments = command.split()
            out = subprocess.run([program, f"--config-dir={self.folder}", *arguments], check=True, text=True,
                                 capture_output=True).stdout
        (self.secret,) = re.findall(r"^stsctl\. hmac-sha256\. (\S+)$", out, re.MULTILINE)


class LeastPermissions(world.World):
    """They are enough for every change of stsctl, and for nothing else."""

    def check_server(self, server):
        self.assertEqual(server.zones, ["example.com"])
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n", f"""version: 1
dns:
  bind: {{provider: rfc2136, server: 127.0.0.1, port: {server.port}, key: {{name: stsctl, secret: "${{env:TSIG}}"}}}}
hosts:
  web: {{provider: directory, root: www, address: {{cname: web.example.net}}}}
defaults:
  dns: bind
  host: web
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["mailto:tls@example.net"]}}
domains:
""")
        env = {"TSIG": server.secret}
        self.run_it("apply", "--yes", env=env, check=0)
        self.assertEqual(server.dig("mta-sts.example.com", "CNAME"), ["web.example.net."])
        path = self.dir / "stsctl.yaml"
        path.write_text(path.read_text().replace("{cname: web.example.net}", '{a: 192.0.2.1, aaaa: "2001:db8::1"}')
                        .replace("mode: testing", "mode: enforce"))
        self.run_it("apply", "--yes", env=env, check=0)
        self.assertEqual(server.dig("mta-sts.example.com", "AAAA"), ["2001:db8::1"])
        self.run_it("plan", "--detailed-exitcode", env=env, check=0)

    def check_that_no_more_is_allowed(self, server):
        for other in ("www.example.com. 60 A 192.0.2.1", "example.com. 60 TXT x", "_mta-sts.example.com. 60 MX 10 a.",
                      "x._mta-sts.example.com. 60 TXT x"):
            self.assertFalse(server.nsupdate("example.com", f"add {other}"), other)

    def test_bind(self):
        server = DocumentedBind(self, ["example.com"])
        self.check_server(server)
        self.check_that_no_more_is_allowed(server)

    def test_knot(self):
        server = DocumentedKnot(self, ["example.com"])
        self.check_server(server)
        self.check_that_no_more_is_allowed(server)

    def test_powerdns(self):
        self.check_server(DocumentedPowerDns(self, ["example.com"]))


if __name__ == "__main__":
    world.main()
