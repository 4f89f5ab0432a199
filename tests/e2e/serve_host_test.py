"""plan and apply for domains whose policies stsctl serve answers: the policy before its id."""

import json
import re
import sys

import web
import world

HEAD = """version: 1
dns:
  zones: {{provider: zonefile, directory: zones, reload: [{python}, {dir}/witness.py]}}
hosts:
  here: {{provider: serve, endpoint: "http://127.0.0.1:{port}", wait: 2s,
         address: {{cname: web.example.net}}{more}}}
defaults:
  dns: zones
  host: here
  policy: {{mode: testing, max_age: 1d}}
domains:
"""

# Run after each change of the zone: writes down the id there and the policy served at that moment.
WITNESS = """
import http.client, json, pathlib, re
folder = pathlib.Path({dir!r})
text = (folder / "zones" / "example.com.zone").read_text()
found = re.search(r"id=(\\w+)", text)
connection = http.client.HTTPConnection("127.0.0.1", {port})
connection.request("GET", "/.well-known/mta-sts.txt", headers={{"Host": "mta-sts.example.com"}})
answer = connection.getresponse()
with open(folder / "witness", "a") as out:
    print(json.dumps([found and found.group(1), answer.status, answer.read().decode()]), file=out)
"""

DOMAIN = "  example.com: {policy: {mx: [mail.example.com]}}\n"
ENFORCED = DOMAIN.replace("mx:", "mode: enforce, mx:")


class ServeHost(web.WebWorld):
    def setUp(self):
        super().setUp()
        self.zone()
        self.port = web.free_port()
        (self.dir / "witness.py").write_text(WITNESS.format(dir=str(self.dir), port=self.port))

    def configure(self, domains, more=""):
        self.config(domains, HEAD.format(python=sys.executable, dir=self.dir, port=self.port,
                                         more=more))

    def start(self):
        return self.serve(listen=("--listen", "127.0.0.1:%d" % self.port))

    def reload_with(self, server):
        return ", reload: [kill, -HUP, '%d']" % server.process.pid

    def served(self):
        answer = web.fetch(self.port, "mta-sts.example.com")
        return answer.body.decode() if answer.status == 200 else None

    def announced(self):
        """Per id, in order, the policies served while it was announced."""
        seen = {}
        for line in (self.dir / "witness").read_text().splitlines():
            identity, _, body = json.loads(line)
            seen.setdefault(identity, []).append(body)
        return seen

    def test_live_patterns_need_a_root(self):
        self.configure("  example.com: {policy: {mx: live}}\n")
        self.start()
        self.assertIn("'mx: live' needs a host that a policy can be written to", self.run_it("plan", check=3).stdout)
        self.assertEqual(web.fetch(self.port, "mta-sts.example.com").status, 500)

    def test_apply_reloads_the_server_and_announces_what_is_served(self):
        self.configure(DOMAIN)
        server = self.start()
        more = self.reload_with(server)
        self.configure(DOMAIN, more)
        # The server has the policy already: only records are missing.
        out = self.run_it("plan", "--detailed-exitcode", check=2).stdout
        self.assertNotIn("policy at", out)
        self.run_it("apply", "--yes", check=0)
        first = self.sts_id()
        self.configure(ENFORCED, more)
        out = self.run_it("plan", check=0).stdout
        self.assertIn("~ policy at here: mode testing -> enforce", out)
        self.assertIn("mode: testing", self.served())
        self.run_it("apply", "--yes", check=0)
        self.assertIn("mode: enforce", self.served())
        second = self.sts_id()
        self.assertNotEqual(first, second)
        seen = self.announced()
        self.assertTrue(seen[second])
        for body in seen[second]:
            self.assertIn("mode: enforce", body)
        self.run_it("plan", "--detailed-exitcode", check=0)

    def test_no_id_is_announced_for_what_is_not_served(self):
        self.configure(DOMAIN)
        server = self.start()
        self.run_it("apply", "--yes", check=0)
        first = self.sts_id()
        self.configure(ENFORCED)  # and nobody tells the server
        failed = self.run_it("apply", "--yes", check=1)
        self.assertIn("does not answer with the new policy after 2 seconds",
                      failed.stdout + failed.stderr)
        self.assertIn("SIGHUP", failed.stdout + failed.stderr)
        self.assertEqual(self.sts_id(), first)
        server.hang_up()
        web.wait_until(lambda: "enforce" in self.served(), "the new policy")
        self.run_it("apply", "--yes", check=0)
        self.assertNotEqual(self.sts_id(), first)

    def test_a_reload_that_fails_stops_the_domain(self):
        self.configure(DOMAIN)
        self.start()
        self.run_it("apply", "--yes", check=0)
        first = self.sts_id()
        self.configure(ENFORCED, ", reload: [sh, -c, 'echo no such unit >&2; exit 5']")
        failed = self.run_it("apply", "--yes", check=1)
        self.assertIn("no such unit", failed.stdout + failed.stderr)
        self.assertEqual(self.sts_id(), first)

    def test_another_policy_than_planned_is_not_announced(self):
        self.configure(DOMAIN)
        server = self.start()
        more = self.reload_with(server)
        self.run_it("apply", "--yes", check=0)
        first = self.sts_id()
        self.configure(ENFORCED, more)
        other = (self.dir / "stsctl.yaml").read_text()
        (self.dir / "other.yaml").write_text(other)
        self.configure(DOMAIN.replace("mail.", "mx9."), more)  # what the server will read
        failed = self.run_it("-c", "other.yaml", "apply", "--yes", check=1)
        self.assertIn("but with a third one", failed.stdout + failed.stderr)
        self.assertEqual(self.sts_id(), first)

    def test_a_server_that_is_down_is_not_an_absent_policy(self):
        self.configure(DOMAIN)
        failed = self.run_it("plan", check=1)
        self.assertIn("Connection refused", failed.stdout + failed.stderr)
        self.assertIn("0 to change", failed.stdout)

    def test_with_a_root_only_what_apply_wrote_is_served(self):
        (self.dir / "state").mkdir()
        self.configure(DOMAIN, ", root: state")
        server = self.start()
        self.assertIsNone(self.served())
        more = ", root: state" + self.reload_with(server)
        self.configure(DOMAIN, more)
        out = self.run_it("plan", check=0).stdout
        self.assertIn("~ policy at here: first policy", out)
        self.run_it("apply", "--yes", check=0)
        self.assertIn("mode: testing", self.served())
        stored = self.dir / "state" / "mta-sts.example.com" / ".well-known" / "mta-sts.txt"
        self.assertEqual(stored.read_bytes().decode(), self.served())
        first = self.sts_id()

        self.configure(ENFORCED, more)
        server.hang_up()
        server.said("info: reloaded")
        self.assertIn("mode: testing", self.served(), "published before it was planned")
        self.run_it("apply", "--yes", check=0)
        self.assertIn("mode: enforce", self.served())
        seen = self.announced()
        for body in seen[self.sts_id()]:
            self.assertIn("mode: enforce", body)
        for body in seen[first]:
            self.assertIn("mode: testing", body)
        self.run_it("plan", "--detailed-exitcode", check=0)
        # A server that starts anew serves the same.
        server.stop()
        self.start()
        self.run_it("plan", "--detailed-exitcode", check=0)

    def test_an_unreadable_file_keeps_the_policy(self):
        (self.dir / "state").mkdir()
        self.configure(DOMAIN, ", root: state")
        server = self.start()
        more = ", root: state" + self.reload_with(server)
        self.configure(DOMAIN, more)
        self.run_it("apply", "--yes", check=0)
        stored = self.dir / "state" / "mta-sts.example.com" / ".well-known" / "mta-sts.txt"
        stored.unlink()
        stored.mkdir()
        server.hang_up()
        server.said("error: policy of example.com: ")
        server.said("info: reloaded: serving 1 policy")
        web.wait_until(lambda: server.err.read_text().count("info: reloaded") == 2, "the reload")
        self.assertIn("mode: testing", self.served())


if __name__ == "__main__":
    world.main()
