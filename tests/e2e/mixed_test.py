"""One configuration over every DNS provider: plan, apply, a server that is down, a token that may not write."""

import json
import re

import apis
import name_servers
import world

HEAD = """version: 1
dns:
  files: {{provider: zonefile, directory: zones}}
  pdns: {{provider: powerdns, endpoint: "{api}", api_key: "${{env:PDNS_KEY}}"}}
  bind: {{provider: rfc2136, server: 127.0.0.1, port: {bind}, key: {{name: stsctl, secret: "${{env:TSIG}}"}}}}
  knot: {{provider: rfc2136, server: 127.0.0.1, port: {knot}, key: {{name: stsctl, secret: "${{env:TSIG}}"}}}}
  cf: {{provider: cloudflare, endpoint: "{cf}/client/v4", token: "${{env:CLOUDFLARE_API_TOKEN}}", timeout: 3s}}
  aws: {{provider: route53, endpoint: "{aws}", timeout: 3s, rate: 20/s}}
hosts:
  web: {{provider: directory, root: www, address: {{a: 192.0.2.80}}}}
defaults:
  dns: files
  host: web
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["mailto:tls@example.net"]}}
domains:
"""
ACCOUNTS = ("files", "pdns", "bind", "knot", "cf", "aws")


def zones_of(account):
    return [f"{account}{number}.example" for number in (1, 2)]


class Mixed(world.World):
    def setUp(self):
        super().setUp()
        self.servers = {"pdns": name_servers.PowerDns(self, zones_of("pdns")),
                        "bind": name_servers.Bind(self, zones_of("bind")),
                        "knot": name_servers.Knot(self, zones_of("knot")),
                        "cf": apis.Cloudflare(self, zones_of("cf")),
                        "aws": apis.Route53(self, zones_of("aws"))}
        for zone in zones_of("files"):
            self.zone(zone)
        # Every zone holds its own domain and one below it.
        self.domains = {name: account for account in ACCOUNTS for zone in zones_of(account)
                        for name in (zone, f"shop.{zone}")}
        self.env = {"PDNS_KEY": self.servers["pdns"].api_key, "TSIG": self.servers["bind"].secret,
                    "CLOUDFLARE_API_TOKEN": apis.Cloudflare.token, **apis.Route53.env}
        self.configure("testing")

    def configure(self, mode):
        head = HEAD.format(api=self.servers["pdns"].api, bind=self.servers["bind"].port,
                           knot=self.servers["knot"].port, cf=self.servers["cf"].api, aws=self.servers["aws"].api)
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

    def requests(self):
        return {account: len(self.servers[account].control("GET", "journal")["requests"]) for account in ("cf", "aws")}

    def test_all_in_one_run_and_then_nothing(self):
        plan = self.run_it("plan", "--detailed-exitcode", check=2).stdout
        self.assertIn(f"{len(self.domains)} to change", plan)
        self.assertEqual({self.id_of(domain) for domain in self.domains}, {None})
        budget = re.search(r"Requests to apply: (.+)\.", plan)[1]
        allowed = {account: int(count) for account, count in re.findall(r"(\w+) (\d+)", budget)}
        self.assertEqual(set(allowed), {"aws", "cf", "pdns"}, budget)
        self.assertRegex(budget, r"aws \d+ \(\d+ seconds? at least\)", "at 20 a second")
        before = self.requests()
        self.run_it("apply", "--yes", check=0)
        # An apply plans first, as the plan did.
        for account, made in self.requests().items():
            self.assertLessEqual(made - before[account], before[account] + allowed[account], account)
        for domain in self.domains:
            with self.subTest(domain):
                self.assertEqual(self.id_of(domain)[19:], world.digest_of(self.policy(domain)))
                self.assertEqual(self.txt(f"_smtp._tls.{domain}"), ['"v=TLSRPTv1; rua=mailto:tls@example.net"'])
        for server in self.servers.values():
            for zone in server.zones:
                self.assertEqual(server.dig(f"mta-sts.{zone}", "A"), ["192.0.2.80"])
                self.assertEqual(server.dig(zone, "MX"), [f"10 mail.{zone}."])
        self.run_it("plan", "--detailed-exitcode", check=0)
        self.assertIn(f"Nothing to do: {len(self.domains)} domains in sync", self.run_it("plan").stdout)
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
        for account, mode in (("knot", "enforce"), ("pdns", "testing"), ("cf", "enforce")):
            with self.subTest(account):
                self.configure(mode)
                self.servers[account].stop()
                self.assertIn("20 to change, 0 unchanged, 4 not readable", self.run_it("plan", check=1).stdout)
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

    def test_a_token_that_may_not_write_stops_its_domains_only(self):
        self.servers["cf"].permit("zone:read", "dns:read")
        self.run_it("plan", "--detailed-exitcode", check=2)
        result = self.run_it("apply", "--yes", "--json", check=5)
        for one in json.loads(result.stdout)["domains"]:
            refused = self.domains[one["domain"]] == "cf"
            self.assertEqual(one["ending"], "failed" if refused else "applied", one)
            if refused:
                self.assertEqual(one["error"]["code"], "unauthorized")
                self.assertIn("DNS", json.dumps(one["error"]))
                self.assertRegex(json.dumps(one["error"]), r"cf\d\.example")
        self.servers["cf"].permit("zone:read", "dns:read", "dns:edit")
        self.run_it("apply", "--yes", check=0)
        self.assertIn("Nothing to do", self.run_it("plan").stdout)


if __name__ == "__main__":
    world.main()
