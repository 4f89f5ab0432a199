"""One configuration over zone files, PowerDNS, BIND and Knot: plan, apply, a server that is down."""

import base64
import json
import re
import urllib.parse

import name_servers
import world

HEAD = """version: 1
dns:
  files: {{provider: zonefile, directory: zones}}
  pdns: {{provider: powerdns, endpoint: "{api}", api_key: "${{env:PDNS_KEY}}"}}
  bind: {{provider: rfc2136, server: 127.0.0.1, port: {bind}, key: {{name: stsctl, secret: "${{env:TSIG}}"}}}}
  knot: {{provider: rfc2136, server: 127.0.0.1, port: {knot}, key: {{name: stsctl, secret: "${{env:TSIG}}"}}}}
hosts:
  web: {{provider: directory, root: www, address: {{a: 192.0.2.80}}}}
defaults:
  dns: files
  host: web
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["mailto:tls@example.net"]}}
domains:
"""
ACCOUNTS = ("files", "pdns", "bind", "knot")


def zones_of(account):
    return [f"{account}{number}.example" for number in (1, 2)]


class Mixed(world.World):
    def setUp(self):
        super().setUp()
        self.servers = {"pdns": name_servers.PowerDns(self, zones_of("pdns")),
                        "bind": name_servers.Bind(self, zones_of("bind")),
                        "knot": name_servers.Knot(self, zones_of("knot"))}
        for zone in zones_of("files"):
            self.zone(zone)
        # Every zone holds its own domain and one below it.
        self.domains = {name: account for account in ACCOUNTS for zone in zones_of(account)
                        for name in (zone, f"shop.{zone}")}
        self.env = {"PDNS_KEY": self.servers["pdns"].api_key, "TSIG": self.servers["bind"].secret}
        self.configure("testing")

    def configure(self, mode):
        head = HEAD.format(api=self.servers["pdns"].api, bind=self.servers["bind"].port,
                           knot=self.servers["knot"].port)
        self.config("".join(f"  {name}: {{dns: {account}, policy: {{mode: {mode}, mx: [mail.{name}]}}}}\n"
                            for name, account in self.domains.items()), head.replace("mode: testing, ", ""))

    def run_it(self, *arguments, **more):
        return super().run_it(*arguments, env=self.env, **more)

    def txt(self, owner):
        """The data of the TXT records at an owner, as dig or named-checkzone shows it."""
        account = self.domains[owner.removeprefix("_mta-sts.").removeprefix("_smtp._tls.")]
        if account != "files":
            return self.servers[account].dig(owner, "TXT")
        zone = re.search(r"files\d\.example", owner).group()
        return self.compiled(zone).get((owner, "TXT"), [])

    def id_of(self, domain):
        found = [re.search(r"id=(\w+)", value) for value in self.txt(f"_mta-sts.{domain}")]
        return found[0].group(1) if found else None

    def test_all_in_one_run_and_then_nothing(self):
        plan = self.run_it("plan", "--detailed-exitcode", check=2).stdout
        self.assertIn(f"{len(self.domains)} to change", plan)
        self.assertEqual({self.id_of(domain) for domain in self.domains}, {None})
        self.run_it("apply", "--yes", check=0)
        for domain in self.domains:
            with self.subTest(domain):
                self.assertEqual(self.id_of(domain)[19:], world.digest_of(self.policy(domain)))
                self.assertEqual(self.txt(f"_smtp._tls.{domain}"), ['"v=TLSRPTv1; rua=mailto:tls@example.net"'])
        for server in self.servers.values():
            for zone in server.zones:
                self.assertEqual(server.dig(f"mta-sts.{zone}", "A"), ["192.0.2.80"])
                self.assertEqual(server.dig(zone, "MX"), [f"10 mail.{zone}."])
        self.run_it("plan", "--detailed-exitcode", check=0)
        self.assertIn("Nothing to do: 16 domains in sync", self.run_it("plan").stdout)
        before = {domain: self.id_of(domain) for domain in self.domains}
        self.run_it("apply", "--yes", check=0)
        self.assertEqual({domain: self.id_of(domain) for domain in self.domains}, before)

    def test_a_saved_plan_is_stale_only_where_a_neighbour_wrote(self):
        self.run_it("plan", "-o", "plan.json", check=0)
        zone = zones_of("knot")[0]
        record = f'_smtp._tls.{zone}. 300 TXT "v=TLSRPTv1; rua=mailto:neighbour@example.net"'
        self.assertTrue(self.servers["knot"].nsupdate(zone, f"add {record}"))
        result = self.run_it("apply", "plan.json", "--yes", "--json", check=4)
        endings = {one["domain"]: one["ending"] for one in json.loads(result.stdout)["domains"]}
        self.assertEqual(endings.pop(zone), "stale")
        self.assertEqual(set(endings.values()), {"applied"})

    def test_a_server_that_is_down_fails_its_domains_only(self):
        self.run_it("apply", "--yes", check=0)
        before = {domain: self.id_of(domain) for domain in self.domains}
        for account in ("knot", "pdns"):
            with self.subTest(account):
                self.configure("enforce" if account == "knot" else "testing")
                self.servers[account].stop()
                self.assertIn("12 to change, 0 unchanged, 4 not readable", self.run_it("plan", check=1).stdout)
                result = self.run_it("apply", "--yes", "--json", check=5)
                for one in json.loads(result.stdout)["domains"]:
                    down = self.domains[one["domain"]] == account
                    self.assertEqual(one["ending"], "failed" if down else "applied", one)
                    if down:
                        self.assertEqual(one["error"]["code"], "unreachable")
                self.servers[account].start()
                after = {domain: self.id_of(domain) for domain in self.domains}
                changed = {self.domains[d] for d in self.domains if after[d] != before[d]}
                self.assertEqual(changed, set(ACCOUNTS) - {account})
                self.run_it("apply", "--yes", check=0)
                self.run_it("plan", "--detailed-exitcode", check=0)
                before = {domain: self.id_of(domain) for domain in self.domains}


def forms_of(secret):
    """How a secret may look where it does not belong."""
    raw = secret.encode()
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(raw).decode().rstrip("=")
    yield raw.hex()
    yield secret[: len(secret) * 2 // 3]  # most of it is as good as all


class Secrets(world.World):
    """Secrets in the file itself, in the environment and in files; every command, every stream, every
    file written, at level debug; with credentials that are right, and with some that are refused."""

    def setUp(self):
        super().setUp()
        pdns = name_servers.PowerDns(self, ["pdns1.example"])
        bind = name_servers.Bind(self, ["bind1.example"], "YmluZCdzIHNlY3JldCBvZiBubyB3b3J0aA==")
        knot = name_servers.Knot(self, ["knot1.example"], "a25vdCdzIHNlY3JldCBvZiBubyB3b3J0aA==")
        self.zone("files1.example")
        (self.dir / "knot.secret").write_text(knot.secret + "\n")
        self.right = {"PDNS_KEY": pdns.api_key, "RELOAD": "reload-word-of-no-worth"}
        self.wrong = {"PDNS_KEY": "wrong-api-key-of-no-worth", "RELOAD": "reload-word-of-no-worth"}
        self.secrets = {bind.secret, knot.secret, *self.right.values(), *self.wrong.values()}
        head = HEAD.format(api=pdns.api, bind=bind.port, knot=knot.port)
        first, second = "${env:TSIG}", "${file:knot.secret}"
        head = head.replace(first, bind.secret, 1).replace(first, second, 1)
        self.assertIn(second, head)
        self.config("".join(f"  {account}1.example: {{dns: {account}, policy: {{mx: [mail.example.net]}}}}\n"
                            for account in ACCOUNTS),
                    head.replace("directory: zones}", 'directory: zones, reload: ["true", "${env:RELOAD}"]}'))

    def search(self, where, text):
        for secret in self.secrets:
            for form in forms_of(secret):
                self.assertNotIn(form, text, where)

    def run_and_search(self, *arguments, env):
        result = self.run_it("--log-level", "debug", *arguments, env=env)
        self.search(arguments, result.stdout)
        self.search(arguments, result.stderr)
        for path in self.dir.rglob("*"):
            if path.is_file() and path.name not in ("stsctl.yaml", "knot.secret"):
                self.search((arguments, path), path.read_text())
        return result

    def test_no_secret_shows_anywhere(self):
        for env, refused in ((self.wrong, True), (self.right, False)):
            for arguments in (["validate"], ["plan"], ["plan", "--json"], ["plan", "--markdown"],
                              ["plan", "-o", "plan.json"], ["status"], ["status", "--json"],
                              ["apply", "--yes"], ["apply", "--yes", "--json"], ["providers"], ["schema"]):
                result = self.run_and_search(*arguments, env=env)
                if arguments[0] in ("plan", "status", "apply"):
                    self.assertIn("X-API-Key: ***", result.stderr, arguments)
                    self.assertEqual("does not accept the API key" in result.stdout, refused, arguments)
        self.run_and_search("apply", "plan.json", "--yes", env=self.right)

    def test_a_configuration_that_is_refused_shows_none(self):
        text = (self.dir / "stsctl.yaml").read_text()
        for right, wrong in (("port: ", "port: x"), ("name: stsctl", "nmae: stsctl"), ("secret: ", "secert: "),
                             ("secret: ", "secret: ["), ("provider: rfc2136", "provider: rfc2135"),
                             ("key: {", "key: {{"), ("domains:", "domains")):
            with self.subTest(wrong):
                (self.dir / "stsctl.yaml").write_text(text.replace(right, wrong))
                result = self.run_it("--log-level", "debug", "plan", env=self.right, check=64)
                self.search(wrong, result.stdout + result.stderr)

    def test_the_search_finds_what_is_there(self):
        for form in forms_of(next(iter(self.secrets))):
            with self.assertRaises(AssertionError):
                self.search("here", f"before {form} after")


if __name__ == "__main__":
    world.main()
