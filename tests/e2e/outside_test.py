"""apply sees the policy from outside, as senders do, before it announces its id."""

import http.server
import pathlib
import ssl
import threading
import time

import verify_test
import world


class Outside(verify_test.Eyes):
    """The web root of the configuration behind HTTPS, with a cache that can lag."""

    def setUp(self):
        super().setUp()
        path = self.zone(extra="mta-sts\tA 127.0.0.1\n")
        path.write_text(path.read_text().replace("ns1\tA 192.0.2.1", "ns1\tA 127.0.0.1"))
        self.serve("example.com")
        head = world.HEAD.replace("directory: zones}", f'directory: zones, reload: ["{self.reload_command("example.com")}"]}}')
        self.config("  example.com: {policy: {mx: [mail.example.com]}, address: {a: [127.0.0.1]}}\n", head)
        outside = self
        outside.cached, outside.asked, outside.date = None, 0, None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outside.asked += 1
                path = outside.dir / "www" / self.headers["Host"].split(":")[0] / self.path.lstrip("/")
                body = path.read_bytes() if path.exists() else None
                body = outside.cached if outside.cached is not None else body
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(body or b"")

            def date_time_string(self, timestamp=None):
                return outside.date or super().date_time_string(timestamp)

            def log_message(self, *arguments):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _, cert, _, key = self.pair("DNS:mta-sts.example.com")
        context.load_cert_chain(cert, key)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.web = str(server.server_address[1])

    def apply(self, *args, check=0):
        return self.run_it("apply", "--yes", "--ca-file", self.ca / "ca.pem", "--https-port", self.web,
                           "--dns-port", str(self.port), *args, env=self.env, check=check)

    def test_the_id_follows_what_is_seen(self):
        self.apply()
        self.assertGreater(self.asked, 0)
        self.assertIsNotNone(self.sts_id())

    def test_an_edge_that_lags_keeps_the_id_back_and_the_next_apply_goes_on(self):
        self.apply()
        before = self.sts_id()
        self.cached = pathlib.Path(
            self.dir / "www/mta-sts.example.com/.well-known/mta-sts.txt").read_bytes()
        text = (self.dir / "stsctl.yaml").read_text()
        (self.dir / "stsctl.yaml").write_text(text.replace("mx: [mail", "mode: enforce, mx: [mail"))
        result = self.apply("--timeout", "1s", check=1)
        self.assertIn("mta-sts.example.com [127.0.0.1]: it serves another policy", result.stdout)
        self.assertIn("its id is not announced yet", result.stdout)
        self.assertIn("mode: enforce", self.policy())
        self.assertEqual(self.sts_id(), before)
        self.cached = None
        self.apply("--no-wait")
        self.assertNotEqual(self.sts_id(), before)

    def test_a_certificate_for_another_name_keeps_the_id_back(self):
        self.web = self.start("faulty_http.py", *self.pair("DNS:www.example.com"))
        result = self.apply("--no-wait", check=1)
        self.assertIn("www.example.com", result.stdout)
        self.assertIsNone(self.sts_id())

        self.apply("--no-verify")
        self.assertIsNotNone(self.sts_id(), "the host's word is enough when somebody says so")

    def test_a_removal_needs_the_policy_hosts_clock_too(self):
        self.apply()
        text = (self.dir / "stsctl.yaml").read_text()
        (self.dir / "stsctl.yaml").write_text(text.replace("{policy: {mx", "{state: retired, ttl: {sts: 1}, policy: {mx"))
        self.apply()
        zone = self.dir / "zones/example.com.zone"
        zone.write_text(zone.read_text().replace(self.sts_id(), world.older(self.sts_id(), 30)))
        self.date = "Sun, 01 Nov 2020 00:00:00 GMT"
        result = self.apply(check=1)
        self.assertIn("it is 2020-11-01T00:00:00Z by the policy host's clock", result.stdout)
        self.assertIsNotNone(self.sts_id())
        self.assertIn("mode: none", self.policy())
        self.date = None
        self.apply()
        self.assertIsNone(self.sts_id())
        self.assertIsNone(self.policy())

    def test_a_rollout_goes_on_when_senders_would_deliver(self):
        zone = self.dir / "zones" / "example.com.zone"
        zone.write_text(zone.read_text().replace("mail\tA 192.0.2.25", "mail\tA 127.0.0.1"))
        config = self.dir / "stsctl.yaml"
        config.write_text(config.read_text().replace("defaults:", """rollouts:
  brisk: [{mode: testing, max_age: 1d, for: 1s, gate: {verify: pass}}, {mode: enforce, max_age: 1w}]
defaults:""").replace("example.com: {", "example.com: {rollout: brisk, "))
        wrong = self.start("faulty_smtp.py", *self.pair("DNS:other.example"), "good")
        self.apply()
        deadline = time.monotonic() + 30
        out = ""
        while "verify: fail: mail.example.com [127.0.0.1]" not in out:
            self.assertLess(time.monotonic(), deadline, out)
            out = self.apply("--smtp-port", wrong).stdout
        self.assertIn("mode: testing", self.policy())
        good = self.start("faulty_smtp.py", *self.pair("DNS:mail.example.com"), "good")
        self.assertIn("did not answer", self.apply("--smtp-port", "1").stdout)
        self.assertIn("left alone", self.apply("--no-smtp").stdout)
        self.assertIn("mode: testing", self.policy())
        self.assertIn("verify: pass (pass): holds", self.apply("--smtp-port", good).stdout)
        self.assertIn("mode: enforce", self.policy())

    def test_a_bad_timeout(self):
        self.assertIn("--timeout", self.apply("--timeout", "soon", check=64).stderr)


if __name__ == "__main__":
    world.main()
