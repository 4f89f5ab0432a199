"""verify against real DNS, and web and mail servers, good and bad, on loopback."""

import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema

import mx_test
import world

SERVERS = world.SOURCE / "tests" / "servers"


class Eyes(mx_test.Served):
    """Servers with certificates of a CA of their own."""

    def setUp(self):
        super().setUp()
        self.ca = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-days", "30", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.ca, check=True, capture_output=True)

    def pair(self, names, days=30):
        """A certificate of our CA; returns the arguments that a server takes."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", "/CN=server", "-keyout", f"{days}{names[4:8]}.key", "-out", "csr")
        (self.ca / "ext").write_text(f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", str(days), "-extfile", "ext",
                     "-out", f"{days}{names[4:8]}.pem")
        return ["--cert", self.ca / f"{days}{names[4:8]}.pem", "--key", self.ca / f"{days}{names[4:8]}.key"]

    def start(self, script, *args):
        server = subprocess.Popen([sys.executable, "-B", "-W", "ignore", SERVERS / script, *args],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server.stdout.readline().strip()

    def domain(self, name="example.com"):
        self.zone(name, "mail\tA 127.0.0.1\nns1\tA 127.0.0.1\nmta-sts\tA 127.0.0.1\n"
                        '_mta-sts\tTXT "v=STSv1; id=1"\n'
                        '_smtp._tls\tTXT "v=TLSRPTv1; rua=mailto:tls@example.net"\n')
        path = self.dir / "zones" / f"{name}.zone"
        path.write_text(path.read_text().replace("ns1\tA 192.0.2.1\nmail\tA 192.0.2.25\n", ""))

    def verify(self, *args, web=None, mail=None, check=0):
        return self.run_it("verify", *args, "--ca-file", self.ca / "ca.pem", "--dns-port", str(self.port),
                           "--https-port", web or self.web, "--smtp-port", mail or self.mail,
                           env=self.env, check=check)


class Verify(Eyes):
    def start_good(self):
        self.domain()
        self.serve("example.com")
        self.web = self.start("faulty_http.py", *self.pair("DNS:mta-sts.example.com"))
        self.mail = self.start("faulty_smtp.py", *self.pair("DNS:mail.example.com"), "good")

    def test_a_good_domain_needs_no_configuration(self):
        self.start_good()
        out = self.verify("example.com").stdout
        self.assertIn("example.com: pass\n", out)
        self.assertIn("mode testing", out)
        self.assertIn("Verify: 1 pass, 0 warn, 0 fail.", out)

    def test_configured_domains_are_looked_at_when_none_is_named(self):
        self.start_good()
        self.config("  example.com: {policy: {mx: [mail.example.com]}}\n"
                    "  example.net: {tlsrpt: {rua: [\"mailto:a@b.example\"]}, policy: {mode: none}}\n")
        self.assertIn("example.com: pass", self.verify(check=1).stdout)

    def test_every_format_says_the_same(self):
        self.start_good()
        bad = self.start("faulty_smtp.py", *self.pair("DNS:other.example"), "good")
        machine = json.loads(self.verify("example.com", "--json", mail=bad).stdout)
        schema = json.loads((world.SOURCE / "schemas" / "verify.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(machine)
        (domain,) = machine["domains"]
        self.assertEqual((domain["grade"], domain["mode"], domain["id"]), ("warn", "testing", "1"))
        self.assertIn("mx-certificate", [f["id"] for f in domain["findings"]])

        suites = xml.etree.ElementTree.fromstring(
            self.verify("example.com", "--format", "junit", mail=bad).stdout)
        names = [case.get("name") for case in suites.iter("testcase")]
        self.assertIn("mx-certificate: mail.example.com [127.0.0.1]", names)

        sarif = json.loads(self.verify("example.com", "--format", "sarif", mail=bad).stdout)
        (result,) = sarif["runs"][0]["results"]
        self.assertEqual((result["ruleId"], result["level"]), ("mx-certificate", "warning"))

        gauges = self.verify("example.com", "--format", "prometheus", mail=bad).stdout
        self.assertIn('stsctl_verify_grade{domain="example.com",mode="testing"} 1\n', gauges)

    def test_what_a_sender_cannot_use_fails(self):
        self.start_good()
        wrong = self.start("faulty_http.py", *self.pair("DNS:www.example.com"))
        out = self.verify("example.com", web=wrong, check=1).stdout
        self.assertIn("fail mta-sts.example.com [127.0.0.1]", out)
        self.assertIn("(policy-certificate)", out)
        self.assertIn("mend:", out)

    def test_a_domain_that_does_not_exist_disturbs_no_other(self):
        self.start_good()
        out = self.verify("example.com", "nobody.example.com", check=1).stdout
        self.assertIn("example.com: pass", out)
        self.assertIn("(no-domain)", out)

    def test_smtp_can_be_left_out(self):
        self.start_good()
        closed = str(mx_test.free_port())
        self.assertIn("mx-unreachable", self.verify("example.com", mail=closed).stdout)
        self.assertNotIn("mx-unreachable", self.verify("example.com", "--no-smtp", mail=closed).stdout)

    def test_what_is_published_is_adopted_with_an_empty_plan(self):
        self.start_good()
        self.put_policy("version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 86400\r\n")
        self.run_it("init", "--from", "example.com", "nobody.example.com", "--ca-file", self.ca / "ca.pem",
                    "--https-port", self.web, env=self.env, check=0)
        text = (self.dir / "stsctl.yaml").read_text()
        self.assertIn('policy: {mode: testing, max_age: 1d, mx: ["mail.example.com"]}', text)
        self.assertIn('address: {a: ["127.0.0.1"]}', text)
        self.assertIn("# nobody.example.com: neither a policy nor TLS-RPT", text)
        self.assertIn("Nothing to do", self.run_it("plan", "--detailed-exitcode", check=0).stdout)

    def test_without_a_resolver_there_is_nothing_to_do(self):
        self.assertIn("asks DNS", self.run_it("verify", "example.com", check=64).stderr)


if __name__ == "__main__":
    world.main()
