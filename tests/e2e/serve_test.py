"""stsctl serve as an operator runs it: signals, reloads, logs, certificates."""

import json
import os
import pathlib
import re
import signal
import socket
import ssl
import threading
import unittest

import web
import world

DOMAINS = """  example.com: {policy: {mx: [mail.example.com]}}
  münchen.example: {policy: {mode: enforce, max_age: 2w, mx: [mail.example.net, "*.example.org"]}}
  quiet.example: {policy: null}
"""
OF_COM = "version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 86400\r\n"


class Http(web.WebWorld):
    def test_every_configured_policy_is_answered(self):
        self.config(DOMAINS)
        server = self.serve()
        answer = web.fetch(server.port, "mta-sts.example.com")
        self.assertEqual((answer.status, answer.body.decode()), (200, OF_COM))
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["content-length"], str(len(OF_COM)))
        self.assertEqual(answer.headers["cache-control"], "max-age=60")
        answer = web.fetch(server.port, "MTA-STS.xn--mnchen-3ya.example.:8443")
        self.assertEqual(answer.body.decode(), "version: STSv1\r\nmode: enforce\r\n"
                         "mx: mail.example.net\r\nmx: *.example.org\r\nmax_age: 1209600\r\n")
        for host, path in (("mta-sts.quiet.example", "/.well-known/mta-sts.txt"),
                           ("example.com", "/.well-known/mta-sts.txt"),
                           ("mta-sts.example.com", "/"), ("mta-sts.example.com", "/metrics")):
            self.assertEqual(web.fetch(server.port, host, path).status, 404, (host, path))
        self.assertEqual(web.fetch(server.port, "mta-sts.example.com", method="PUT").status, 405)
        self.assertEqual(web.fetch(server.port, "10.0.0.1", "/healthz").body, b"ok\n")

    def test_the_body_is_what_apply_publishes(self):
        for name in ("example.com", "xn--mnchen-3ya.example", "quiet.example"):
            self.zone(name)
        self.config(DOMAINS)
        self.run_it("apply", "--yes", check=0)
        server = self.serve()
        for name in ("example.com", "xn--mnchen-3ya.example"):
            self.assertEqual(web.fetch(server.port, "mta-sts." + name).body.decode(),
                             self.policy(name))

    def test_it_ends_well_by_either_signal(self):
        self.config(DOMAINS)
        for how in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            self.assertEqual(server.stop(how), 0, server.err.read_text())

    def test_a_request_under_way_is_finished(self):
        self.config(DOMAINS)
        server = self.serve()
        with socket.create_connection(("127.0.0.1", server.port), timeout=web.DEADLINE) as stream:
            stream.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
            web.wait_until(lambda: "stsctl_connections{listener=\"http://127.0.0.1:%d\"} 1\n"
                           % server.port in server.metrics(), "a connection")
            server.process.send_signal(signal.SIGTERM)
            server.said("info: stopping")
            stream.sendall(b"Host: mta-sts.example.com\r\n\r\n")
            answer = web.Answer(web.read_to_end(stream))
        self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
        self.assertEqual(server.process.wait(web.DEADLINE), 0)

    def test_a_second_signal_ends_it_at_once(self):
        self.config(DOMAINS)
        server = self.serve("--grace", "1h")
        with socket.create_connection(("127.0.0.1", server.port)) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\n")
            web.wait_until(lambda: "} 1\n" in server.metrics().split("# TYPE stsctl_connections ")[1]
                           .splitlines(True)[1], "a connection")
            server.process.send_signal(signal.SIGTERM)
            server.said("info: stopping")
            self.assertEqual(server.stop(), 143)

    def test_hangup_reloads_and_keeps_connections(self):
        self.config(DOMAINS)
        server = self.serve()
        with socket.create_connection(("127.0.0.1", server.port), timeout=web.DEADLINE) as stream:
            def ask():
                stream.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
                               b"Host: mta-sts.example.com\r\n\r\n")
                raw = b""
                while not raw.endswith(b"max_age: 86400\r\n"):
                    part = stream.recv(65536)
                    self.assertTrue(part, "the connection was dropped")
                    raw += part
                return raw
            self.assertIn(b"mode: testing", ask())
            self.config(DOMAINS.replace("mx: [mail.example.com]",
                                        "mode: enforce, mx: [mail.example.com]"))
            self.assertIn(b"mode: testing", ask())  # not before it is told
            server.hang_up()
            web.wait_until(lambda: b"mode: enforce" in ask(), "the new policy")
        self.assertIn('reloads_total{result="ok"} 1\n', server.metrics())

    def test_a_faulty_configuration_changes_nothing(self):
        self.config(DOMAINS)
        server = self.serve()
        self.config("  example.com: {policy: {mode: enfroce}}\n")
        server.hang_up()
        server.said("the policies of before are served on")
        self.assertIn("mode", server.err.read_text())
        self.assertEqual(web.fetch(server.port, "mta-sts.example.com").body.decode(), OF_COM)
        self.assertIn("last_reload_successful 0\n", server.metrics())
        self.config("  new.example: {policy: {mx: [a.example]}}\n")
        server.hang_up()
        server.said("info: reloaded: serving 1 policy")
        self.assertEqual(web.fetch(server.port, "mta-sts.example.com").status, 404)
        self.assertEqual(web.fetch(server.port, "mta-sts.new.example").status, 200)
        self.assertIn("last_reload_successful 1\n", server.metrics())

    def test_it_needs_no_secret(self):
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n", world.HEAD.replace(
            "zones: {provider: zonefile, directory: zones}",
            'zones: {provider: powerdns, endpoint: "http://127.0.0.1:1", api_key: "${env:NO_KEY}"}'))
        self.assertIn("NO_KEY is not set", self.run_it("plan", check=64).stderr)
        server = self.serve()
        self.assertEqual(web.fetch(server.port, "mta-sts.example.com").status, 200)

    def test_the_log_names_the_client_and_is_rotated(self):
        self.config(DOMAINS)
        log = self.dir / "access.log"
        server = self.serve("--access-log", str(log), "--trusted-proxy", "127.0.0.1")
        web.fetch(server.port, "mta-sts.example.com", headers="X-Forwarded-For: 192.0.2.9\r\n")
        line = web.wait_until(lambda: log.read_text(), "a line")
        entry = json.loads(line)
        self.assertEqual((entry["client"], entry["host"], entry["status"]),
                         ("192.0.2.9", "mta-sts.example.com", 200))
        log.rename(self.dir / "access.log.1")
        server.hang_up()
        server.said("info: reloaded")
        web.fetch(server.port, "mta-sts.example.com")
        web.wait_until(lambda: log.exists() and log.read_text(), "a line in the new file")
        self.assertEqual((self.dir / "access.log.1").read_text(), line)

    def test_the_log_goes_to_stdout_in_the_common_format(self):
        self.config(DOMAINS)
        server = self.serve("--log-format", "common")
        web.fetch(server.port, "mta-sts.example.com")
        web.wait_until(lambda: '"GET /.well-known/mta-sts.txt HTTP/1.1" 200 69'
                       in server.out.read_text(), "the line")

    def test_a_socket_may_be_handed_over(self):
        self.config(DOMAINS)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            port = listening.getsockname()[1]
            number = listening.fileno()
            self.serve(listen=("--listen", "fd:%d" % number), pass_fds=[number])
        self.assertEqual(web.fetch(port, "mta-sts.example.com").status, 200)

    def test_hangup_while_starting_is_a_reload(self):
        more = self.dir / "stsctl.yaml"
        os.mkfifo(more)
        writing = os.open(more, os.O_RDWR)  # the program waits for what comes
        server = self.started(web.Program(
            [world.STSCTL, "serve", "--listen", "127.0.0.1:0"], self.dir))
        files = pathlib.Path(f"/proc/{server.process.pid}/fd")
        web.wait_until(lambda: any(os.path.realpath(one) == str(more) for one in files.iterdir()),
                       "reading its configuration")
        server.process.send_signal(signal.SIGHUP)
        (self.dir / "next.yaml").write_text(world.HEAD + "  next.example: {policy: {mx: [a.example]}}\n")
        os.replace(self.dir / "next.yaml", more)
        os.write(writing, f"{world.HEAD}  first.example: {{policy: {{mx: [a.example]}}}}\n".encode())
        os.close(writing)
        server.said("info: serving 1 policy")
        server.said("info: reloaded: serving 1 policy")
        port = int(re.search(r"http://127.0.0.1:(\d+)", server.err.read_text()).group(1))
        web.wait_until(lambda: web.fetch(port, "mta-sts.next.example").status == 200, "the reload")

    def test_the_example_unit_starts_it(self):
        folder = world.SOURCE / "examples" / "serve"
        line = re.search(r"^ExecStart=(.*)$", (folder / "stsctl.service").read_text(), re.M).group(1)
        (self.dir / "certificates").mkdir()
        changed = {"/usr/local/bin/stsctl": world.STSCTL,
                   "/etc/stsctl/stsctl.yaml": str(folder / "stsctl.yaml"),
                   "/etc/stsctl/certificates": str(self.dir / "certificates")}
        argv = [changed.get(word, "127.0.0.1:0" if re.search(r":\d+$", word) else word)
                for word in line.split()]
        server = self.started(web.Program(argv, self.dir))
        server.said("info: serving 2 policies on ")
        port = int(re.search(r"http://127.0.0.1:(\d+)", server.err.read_text()).group(1))
        self.assertEqual(web.fetch(port, "mta-sts.example.com").status, 200)

    def test_what_cannot_work_is_said(self):
        self.config(DOMAINS)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            used = "127.0.0.1:%d" % taken.getsockname()[1]
            for code, said, options in (
                    (1, used + ": cannot listen: Address already in use", ["--listen", used]),
                    (1, "nowhere", ["--listen-tls", "127.0.0.1:0", "--certificates", "nowhere"]),
                    (1, "cannot write the access log", ["--access-log", "no/such/folder"]),
                    (64, "is nothing to listen on", ["--listen", "localhost:80"]),
                    (64, "needs --certificates", ["--listen-tls", ":0"]),
                    (64, "no address and no network", ["--trusted-proxy", "proxy.example"]),
                    (64, "--grace", ["--grace", "soon"]),
                    (64, "max-connections", ["--max-connections", "0"])):
                self.assertIn(said, self.run_it("serve", *options, check=code).stderr)
        self.config("  example.com: {policy: {mode: enfroce}}\n")
        self.run_it("serve", check=64)


def client_context(ca, version):
    """A client that speaks exactly this version, old ones too."""
    context = ssl.create_default_context(cafile=ca.file)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


def old_server(chain, key):
    """Answers one TLS client of any version; returns its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(chain, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer():
        with listening, listening.accept()[0] as stream, \
                context.wrap_socket(stream, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    threading.Thread(target=answer, daemon=True).start()
    return listening.getsockname()[1]


class Https(web.WebWorld):
    def setUp(self):
        super().setUp()
        self.config(DOMAINS)
        self.certificates = self.dir / "certificates"
        self.authority = self.ca()
        self.issue("mta-sts.example.com")

    def issue(self, name, *more, days=10):
        file = name.replace("*", "_")
        self.authority.issue(self.certificates / f"{file}.crt", self.certificates / f"{file}.key",
                             name, *more, days=days)

    def serve_tls(self, *options):
        return self.serve("--certificates", str(self.certificates), *options,
                          listen=("--listen-tls", "127.0.0.1:0"))

    def fetch(self, server, host="mta-sts.example.com", **more):
        return web.fetch(server.port, host, ca=self.authority, **more)

    def test_the_certificate_is_chosen_by_name(self):
        self.issue("*.xn--mnchen-3ya.example")
        server = self.serve_tls()
        for host in ("mta-sts.example.com", "mta-sts.xn--mnchen-3ya.example"):
            self.assertEqual(self.fetch(server, host).status, 200)
        with self.assertRaises(ssl.SSLError) as refused:
            self.fetch(server, "mta-sts.unknown.example")
        self.assertIn("UNRECOGNIZED_NAME", str(refused.exception).upper())
        server.stop()
        # What a client gets that names no host, or another: refused, or the default.
        lenient = self.serve_tls("--default-certificate", "mta-sts.example.com")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.fetch(lenient, "mta-sts.unknown.example")
        self.assertEqual(self.fetch(lenient).status, 200)

    def test_tls_below_1_2_is_refused(self):
        server = self.serve_tls()
        pair = self.certificates / "mta-sts.example.com.crt", self.certificates / "mta-sts.example.com.key"
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = client_context(self.authority, version)
            able = web.fetch(old_server(*pair), "mta-sts.example.com", context=context)
            self.assertEqual(able.status, 204)  # the client can, so a refusal is the server's
            with self.assertRaises(ssl.SSLError) as refused:
                web.fetch(server.port, "mta-sts.example.com", context=context)
            self.assertIn("PROTOCOL_VERSION", str(refused.exception).upper())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(self.authority, version)
            self.assertEqual(web.fetch(server.port, "mta-sts.example.com", context=context).status,
                             200)
        self.assertIn("handshakes_failed_total{listener=\"https://127.0.0.1:%d\"} 2\n" % server.port,
                      server.metrics())

    def test_it_speaks_http_1_1_only(self):
        server = self.serve_tls()
        for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"),
                                ([], None)):
            context = ssl.create_default_context(cafile=self.authority.file)
            if offered:
                context.set_alpn_protocols(offered)
            with socket.create_connection(("127.0.0.1", server.port)) as stream, \
                    context.wrap_socket(stream, server_hostname="mta-sts.example.com") as tls:
                self.assertEqual(tls.selected_alpn_protocol(), chosen)
        context.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError):
            web.fetch(server.port, "mta-sts.example.com", context=context)

    def test_sessions_are_resumed(self):
        server = self.serve_tls()
        context = client_context(self.authority, ssl.TLSVersion.TLSv1_2)
        session = None
        reused = []
        for _ in range(4):  # more than one thread answers
            with socket.create_connection(("127.0.0.1", server.port)) as stream, context.wrap_socket(
                    stream, server_hostname="mta-sts.example.com", session=session) as tls:
                reused.append(tls.session_reused)
                session = tls.session
        self.assertEqual(reused, [False, True, True, True])

    def test_a_renewed_certificate_is_taken_up(self):
        server = self.serve_tls()
        def serial():
            context = ssl.create_default_context(cafile=self.authority.file)
            with socket.create_connection(("127.0.0.1", server.port)) as stream, \
                    context.wrap_socket(stream, server_hostname="mta-sts.example.com") as tls:
                return tls.getpeercert()["serialNumber"]
        old = serial()
        self.issue("mta-sts.example.com", days=20)
        web.wait_until(lambda: serial() != old, "the new certificate")
        self.assertEqual(server.process.poll(), None)

    def test_trouble_with_certificates_is_logged(self):
        self.issue("mta-sts.xn--mnchen-3ya.example", days=-1)
        (self.certificates / "broken.pem").write_text("x")
        (self.certificates / "broken.key").write_text("x")
        server = self.serve_tls()
        server.said("mta-sts.xn--mnchen-3ya.example, expired at")
        server.said("broken.pem: holds no certificate")
        with self.assertRaises(ssl.SSLCertVerificationError) as expired:
            self.fetch(server, "mta-sts.xn--mnchen-3ya.example")
        self.assertIn("expired", str(expired.exception))
        self.assertRegex(server.metrics(), r'expiry_timestamp_seconds\{name="mta-sts.example.com"\} 1')

    def test_a_policy_without_certificate_is_logged(self):
        server = self.serve_tls()
        server.said("warn: no certificate for mta-sts.xn--mnchen-3ya.example\n")

    def test_no_certificate_yet(self):
        for file in self.certificates.iterdir():
            file.unlink()
        server = self.serve_tls()
        server.said("no certificate found there yet")
        with self.assertRaises(ssl.SSLError):
            self.fetch(server)
        self.issue("mta-sts.example.com")
        def answered():
            try:
                return self.fetch(server).status == 200
            except ssl.SSLError:
                return False
        web.wait_until(answered, "an answer")

    def test_who_speaks_no_tls_disturbs_nobody(self):
        server = self.serve_tls("--header-timeout", "1s")
        with socket.create_connection(("127.0.0.1", server.port), timeout=web.DEADLINE) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1", web.read_to_end(stream))
        with socket.create_connection(("127.0.0.1", server.port), timeout=web.DEADLINE) as silent:
            self.assertEqual(web.read_to_end(silent), b"")  # cut at its deadline
        self.assertEqual(self.fetch(server).status, 200)
        self.assertIn("timed_out_total{listener=\"https://127.0.0.1:%d\"} 1\n" % server.port,
                      server.metrics())


if __name__ == "__main__":
    world.main()
