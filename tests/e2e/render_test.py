"""render --format: what it prints runs in the real Caddy, nginx and Apache, as a sender sees them."""

import os
import subprocess

import web
import world

DOMAINS = """  example.com: {policy: {mx: [mail.example.com]}}
  münchen.example: {policy: {mode: enforce, max_age: 2w, mx: [mail.example.net]}}
  quiet.example: {policy: null}
"""
NAMES = ("example.com", "xn--mnchen-3ya.example")

APACHE = """ServerRoot {dir}
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
ErrorLog /dev/stderr
ServerName localhost
User nobody
Group nogroup
Listen {port}
{modules}
TypesConfig /dev/null
Include {dir}/policies.conf
"""
APACHE_MODULES = ("mpm_event", "authz_core", "alias", "headers", "mime", "ssl", "socache_shmcb")


class Render(web.WebWorld):
    def setUp(self):
        super().setUp()
        self.dir.chmod(0o755)  # servers that give up root read below
        self.port = web.free_port()
        self.authority = self.ca()
        for name in (*NAMES, "quiet.example"):
            self.zone(name)
            self.authority.issue(self.dir / "certificates" / f"{name}.pem",
                                 self.dir / "certificates" / f"{name}.key", "mta-sts." + name)

    def render(self, form):
        text = self.run_it("render", "--format", form, "--port", str(self.port), "--certificate",
                           str(self.dir / "certificates" / "{domain}.pem"), "--key",
                           str(self.dir / "certificates" / "{domain}.key"), check=0).stdout
        self.assertNotIn("quiet.example", text)
        return text

    def start(self, *argv, **more):
        program = self.started(web.Program(argv, self.dir, **more))
        def answers():
            self.assertIsNone(program.process.poll(), program.err.read_text())
            try:
                return self.fetch("mta-sts.example.com", "/").status
            except OSError:
                return None
        web.wait_until(answers, "an answer; it said " + program.err.read_text())

    def start_nginx(self):
        self.start(*web.nginx(self.dir, self.render("nginx")))

    def start_apache(self):
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                            for name in APACHE_MODULES)
        (self.dir / "policies.conf").write_text(self.render("apache"))
        (self.dir / "apache.conf").write_text(
            APACHE.format(dir=self.dir, port=self.port, modules=modules))
        self.start("/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(self.dir / "apache.conf"))

    def start_caddy(self):
        # Port 80 is not the test's to open.
        options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        (self.dir / "Caddyfile").write_text(options + self.render("caddy"))
        home = {"HOME": str(self.dir), "XDG_DATA_HOME": str(self.dir / "data"),
                "XDG_CONFIG_HOME": str(self.dir / "data")}
        self.start("caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile",
                   env={**os.environ, **home})

    def fetch(self, host, path="/.well-known/mta-sts.txt", **more):
        return web.fetch(self.port, host, path, ca=self.authority, **more)

    def publish_and_fetch(self, start, head=world.HEAD):
        self.config(DOMAINS, head)
        self.run_it("apply", "--yes", check=0)
        start()
        for name in NAMES:
            answer = self.fetch("mta-sts." + name)
            self.assertEqual(answer.status, 200, name)
            self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
            self.assertEqual(answer.headers["cache-control"], "max-age=60")
            self.assertEqual(answer.headers["content-length"], str(len(answer.body)))
            self.assertIn(("mx: mail." + name.replace("xn--mnchen-3ya.example", "example.net"))
                          .encode() + b"\r\n", answer.body)
        for path in ("/", "/.well-known/", "/.well-known", "/mta-sts.txt", "/.well-known/mta-sts.txt/",
                     "/.well-known/mta-sts.txtx", "/.well-known/../.well-known/x", 
                     "/.well-known/mta-sts.txt/x"):
            self.assertEqual(self.fetch("mta-sts.example.com", path).status, 404, path)
        self.assertIn(self.fetch("mta-sts.example.com", "/%2e%2e/etc/passwd").status, (400, 404))
        # A change is seen at once, as a file of the directory host.
        self.config(DOMAINS.replace("mx: [mail.example.com]",
                                    "mode: enforce, mx: [mail.example.com]"), head)
        self.run_it("apply", "--yes", check=0)
        self.assertIn(b"mode: enforce", self.fetch("mta-sts.example.com").body)

    def other_host(self):
        """For a Host that no policy has, over a connection for one that has."""
        context = web.ssl.create_default_context(cafile=self.authority.file)
        context.check_hostname = False
        with web.socket.create_connection(("127.0.0.1", self.port)) as stream, \
                context.wrap_socket(stream, server_hostname="mta-sts.example.com") as tls:
            tls.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: other.example\r\n"
                        b"Connection: close\r\n\r\n")
            return web.Answer(web.read_to_end(tls))

    def test_nginx(self):
        self.publish_and_fetch(self.start_nginx)
        self.assertEqual(self.other_host().status, 404)

    def test_apache(self):
        self.publish_and_fetch(self.start_apache)
        self.assertEqual(self.other_host().status, 404)

    def test_caddy(self):
        self.publish_and_fetch(self.start_caddy)
        self.assertNotIn(b"STSv1", self.other_host().body)

    def test_another_layout_with_blanks(self):
        for start in (self.start_nginx, self.start_apache, self.start_caddy):
            with self.subTest(start.__name__):
                (self.dir / "my web").mkdir(exist_ok=True)
                head = world.HEAD.replace("root: www", 'root: my web, path: "all/{domain} sts.txt"')
                self.port = web.free_port()
                self.publish_and_fetch(start, head)
        self.assertTrue((self.dir / "my web" / "all" / "example.com sts.txt").exists())

    def test_certbot_and_caddy_find_their_certificates(self):
        self.config(DOMAINS)
        text = self.run_it("render", "--format", "nginx", "example.com", check=0).stdout
        self.assertIn('ssl_certificate "/etc/letsencrypt/live/mta-sts.example.com/fullchain.pem";',
                      text)
        self.assertNotIn("xn--mnchen", text)
        text = self.run_it("render", "--format", "caddy", check=0).stdout
        self.assertNotIn("tls", text)
        (self.dir / "Caddyfile").write_text(text)
        subprocess.run(["caddy", "adapt", "--config", "Caddyfile", "--adapter", "caddyfile"],
                       cwd=self.dir, check=True, capture_output=True)

    def test_what_cannot_be_rendered_is_said(self):
        self.config(DOMAINS)
        for said, arguments in (("quiet.example: it has no policy", ["quiet.example"]),
                                ("did you mean 'example.com'?", ["example.co"]),
                                ("--certificate and --key belong together", ["--key", "x"]),
                                ("do not take this path literally",
                                 ["--certificate", "/a/$x.pem", "--key", "/a/b"])):
            out = self.run_it("render", "--format", "nginx", *arguments, check=64)
            self.assertIn(said, out.stderr)
            self.assertEqual(out.stdout, "")
        self.config(DOMAINS, world.HEAD.replace(
            "{provider: directory, root: www,", '{provider: serve, endpoint: "http://127.0.0.1:1",'))
        self.assertIn("its host 'web' is a 'serve', no 'directory'",
                      self.run_it("render", "--format", "nginx", "example.com", check=64).stderr)
        self.assertIn("no domain's policy is served from a 'directory' host",
                      self.run_it("render", "--format", "nginx", check=64).stderr)

    def test_the_examples_are_what_it_prints(self):
        folder = world.SOURCE / "examples" / "web-server"
        for form, name in (("caddy", "Caddyfile"), ("nginx", "nginx.conf"), ("apache", "apache.conf")):
            self.assertEqual(self.run_it("-c", str(folder / "stsctl.yaml"), "render", "--format", form,
                                         check=0).stdout, (folder / name).read_text(), name)

    def test_records_of_many(self):
        self.config(DOMAINS)
        text = self.run_it("render", check=0).stdout
        for name in NAMES:
            self.assertIn(f"; https://mta-sts.{name}/.well-known/mta-sts.txt\n", text)
        self.run_it("render", "--json", check=64)
        self.run_it("render", "--json", "example.com", check=0)
        self.run_it("render", "--json", "--format", "nginx", "example.com", check=64)
        self.run_it("render", "--format", "iis", check=64)


if __name__ == "__main__":
    world.main()
