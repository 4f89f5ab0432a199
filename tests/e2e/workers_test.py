"""plan and apply with zones and policies at Cloudflare: the binary against the emulator of its API."""

import sys

import world

sys.path.insert(0, str(world.SOURCE / "tests" / "emulators"))
import running

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "k3pRqXv0-9sTz_WmLd7YbN5cJhF2gVa8uEoI1xQt"
DOMAINS = ["a.example", "b.example", "c.example"]
HEAD = """version: 1
dns:
  cf: {{provider: cloudflare, endpoint: "{api}", token: "${{env:CLOUDFLARE_API_TOKEN}}"}}
hosts:
  worker: {{provider: cloudflare-workers, endpoint: "{api}", token: "${{env:CLOUDFLARE_API_TOKEN}}", account: "{account}"}}
defaults:
  dns: cf
  host: worker
  policy: {{mode: testing, max_age: 1d}}
  tlsrpt: {{rua: ["mailto:tls@example.net"]}}
domains:
"""


class Workers(world.World):
    def start(self, records=(), **state):
        emulator = running.Emulator("cloudflare.py")
        self.addCleanup(emulator.stop)
        self.url, self.control = emulator.url, emulator.control
        zones = [{"name": name, "records": [
            {"type": "MX", "name": name, "content": f"mail.{name}", "priority": 10, "ttl": 3600},
            *(record for record in records if record["name"].endswith(name))]} for name in DOMAINS]
        self.control("PUT", "state", {"accounts": [{"id": ACCOUNT, "name": "Example"}], "tokens": [{"value": TOKEN}],
                                      "zones": zones, **state})

    def configure(self, more=""):
        self.config("".join(f"  {name}: {{policy: {{mx: [mail.{name}]{more}}}}}\n" for name in DOMAINS),
                    HEAD.format(api=f"{self.url}/client/v4", account=ACCOUNT))

    def tool(self, *arguments, check):
        result = self.run_it(*arguments, env={"CLOUDFLARE_API_TOKEN": TOKEN}, check=check)
        self.assertNotIn(TOKEN, result.stdout + result.stderr)
        return result

    def state(self):
        return self.control("GET", "state")

    def records(self, owner):
        return [(one["type"], one["content"]) for zone in self.state()["zones"] for one in zone["records"]
                if one["name"] == owner]

    def test_one_upload_for_all_domains_and_then_nothing_to_do(self):
        self.start()
        self.configure()
        plan = self.tool("plan", "--detailed-exitcode", check=2).stdout
        self.assertNotIn("AAAA", plan, "the Custom Domain brings its record")
        self.tool("apply", "--yes", check=0)
        self.tool("plan", "--detailed-exitcode", check=0)
        worker = self.state()["workers"][0]
        self.assertEqual((worker["name"], worker["uploads"]), ("stsctl-mta-sts", 1))
        ids = {}
        for name in DOMAINS:
            self.assertIn(f'  ["mta-sts.{name}",\n    "version: STSv1\\r\\n" +\n    "mode: testing\\r\\n" +\n'
                          f'    "mx: mail.{name}\\r\\n" +\n    "max_age: 86400\\r\\n"],\n', worker["script"])
            self.assertEqual(self.records(f"mta-sts.{name}"), [("AAAA", "100::")])
            ids[name] = self.records(f"_mta-sts.{name}")
            self.assertRegex(ids[name][0][1], "v=STSv1; id=")

        self.configure(", mode: enforce")
        self.tool("apply", "--yes", check=0)
        self.tool("plan", "--detailed-exitcode", check=0)
        worker = self.state()["workers"][0]
        self.assertEqual(worker["uploads"], 2)
        self.assertEqual(worker["script"].count("mode: enforce"), len(DOMAINS))
        for name in DOMAINS:
            self.assertNotEqual(self.records(f"_mta-sts.{name}"), ids[name])

    def test_a_record_in_the_way_keeps_its_domain_from_being_announced(self):
        self.start([{"type": "CNAME", "name": "mta-sts.b.example", "content": "web.example.net"}])
        self.configure()
        said = self.tool("apply", "--yes", check=5)
        self.assertIn("remove those of mta-sts.b.example at Cloudflare", said.stdout + said.stderr)
        self.assertEqual(self.records("_mta-sts.b.example"), [])
        self.assertEqual(self.records("mta-sts.b.example"), [("CNAME", "web.example.net")])
        for name in ("a.example", "c.example"):
            self.assertEqual(len(self.records(f"_mta-sts.{name}")), 1, name)
        # The way is clear: what was uploaded already is served, then announced.
        state = self.state()
        for zone in state["zones"]:
            zone["records"] = [one for one in zone["records"] if one["name"] != "mta-sts.b.example"]
        self.control("PUT", "state", state)
        self.tool("apply", "--yes", check=0)
        self.assertEqual(len(self.records("_mta-sts.b.example")), 1)
        self.tool("plan", "--detailed-exitcode", check=0)

    def test_a_worker_of_somebody_else_stays_as_it_is(self):
        mine = "export default { fetch: () => new Response('mine') };\n"
        self.start(workers=[{"account": ACCOUNT, "name": "stsctl-mta-sts", "script": mine}])
        self.configure()
        said = self.tool("apply", "--yes", check=3)
        self.assertIn("not one that stsctl wrote", said.stdout + said.stderr)
        self.assertEqual(self.state()["workers"][0]["script"], mine)
        for name in DOMAINS:
            self.assertEqual(self.records(f"_mta-sts.{name}"), [])


if __name__ == "__main__":
    world.main()
