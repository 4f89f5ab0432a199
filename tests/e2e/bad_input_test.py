"""verify of a domain for everything that can be wrong with one, all in one run: each its own finding, none another's."""

import json
import time

import name_servers
import verify_test
import world

WEB = "mta-sts.{d}\tA {web}\n"
MX = "{d}\tMX 10 mail.{d}\nmail.{d}\tA {mail}\n"
STS = '_mta-sts.{d}\tTXT "v=STSv1; id=1"\n'
TLSRPT = '_smtp._tls.{d}\tTXT "v=TLSRPTv1; rua=mailto:tls@example.net"\n'
LOOP = "{0}.{{d}}\tCNAME x{0}.{{d}}\nx{0}.{{d}}\tCNAME {0}.{{d}}\n"

# Of each domain: its records, the finding (its id and a part of its text), and the mail server.
CASES = {
    "good": (WEB + MX + STS, None, "good"),
    "absent": (None, ("no-domain", "does not exist"), None),
    "bare": (WEB + "{d}\tA {mail}\n" + STS, ("implicit-mx", "no MX record"), "good"),
    "nullmx": (WEB + "{d}\tMX 0 .\n" + STS, ("no-mail", "takes no mail"), None),
    "literal": (WEB + "{d}\tMX 10 192.0.2.7.\n" + STS, ("mx-invalid", "192.0.2.7"), None),
    "alias": (WEB + "{d}\tMX 10 mail.{d}\nmail.{d}\tCNAME real.{d}\nreal.{d}\tA {mail}\n" + STS,
              ("mx-alias", "is a CNAME"), "good"),
    "stsloop": (WEB + MX + LOOP.format("_mta-sts"), ("sts-lookup", "circle"), "good"),
    "hostloop": (MX + STS + LOOP.format("mta-sts"), ("policy-host-lookup", "circle"), "good"),
    "mxloop": (WEB + "{d}\tMX 10 mail.{d}\n" + STS + LOOP.format("mail"), ("mx-host-lookup", "circle"), None),
    "manytxt": (WEB + MX + STS + "".join(f'_mta-sts.{{d}}\tTXT "{i}"\n' for i in range(3000)),
                ("sts-record", "other TXT records"), "good"),
    # More than a DNS message holds.
    "toomany": (WEB + MX + STS + "".join(f'_mta-sts.{{d}}\tTXT "{i}"\n' for i in range(10000)),
                ("sts-lookup", "SERVFAIL"), "good"),
    # The policy host says by the domain's label what it does.
    "huge": (WEB + MX + STS, ("policy-fetch", "more than 65536 bytes"), "good"),
    "drip": (WEB + MX + STS, ("policy-fetch", "within 2 s"), "good"),
    "circle": (WEB + MX + STS, ("policy-status", "follow no redirect"), "good"),
    # Other certificates.
    "webexpired": (WEB + MX + STS, ("policy-certificate", "expired"), "good"),
    "webself": (WEB + MX + STS, ("policy-certificate", "self-signed"), "good"),
    "webother": (WEB + MX + STS, ("policy-certificate", "mta-sts.webother"), "good"),
    "webold": (WEB + MX + STS, ("policy-fetch", "TLS"), "good"),
    "mailexpired": (WEB + MX + STS, ("mx-certificate", "expired"), "expired"),
    "mailself": (WEB + MX + STS, ("mx-certificate", "self-signed"), "self"),
    "mailother": (WEB + MX + STS, ("mx-certificate", "mail.mailother"), "other"),
    "mailold": (WEB + MX + STS, ("mx-tls", "TLS"), "old"),
    # Mail servers.
    "silent": (WEB + MX + STS, ("mx-smtp", "within 2 s"), "silent"),
    "late": (WEB + MX + STS, None, "late"),
    "busy": (WEB + MX + STS, ("mx-smtp", "421 too busy"), "busy"),
    "nostarttls": (WEB + MX + STS, ("mx-no-starttls", "STARTTLS"), "no-starttls"),
    "refuses": (WEB + MX + STS, ("mx-tls", "454"), "refuses"),
    "injects": (WEB + MX + STS, ("mx-tls", "nobody asked for"), "injects"),
}


class Careless(name_servers.Knot):
    """Serves what a careful server does not load: BIND has a limit of records at a name, and follows MX records."""

    each = name_servers.Knot.each + "    semantic-checks: off\n"

    def __init__(self, test, text):
        self.text = text
        super().__init__(test, ["example.com"])

    def prepare(self):
        super().prepare()
        self.write("example.com.zone", self.text)


class BadInput(verify_test.Eyes):
    def zone_of(self, web, mail):
        lines = ["ns1\tA 127.0.0.1\n"]
        for label, (records, _, server) in CASES.items():
            if records is not None:
                lines.append((records + TLSRPT).format(d=label, web=web.get(label, "127.0.0.1"), mail=mail.get(server, "127.0.0.1")))
        text = world.ZONE.format(zone="example.com") + "".join(lines)
        return text.replace("ns1\tA 192.0.2.1\nmail\tA 192.0.2.25\n", "")

    def certificates(self, host):
        """For every domain one that holds, and those that do not: (arguments of a server, for which label)."""
        names = ",".join(f"DNS:{host}.{label}.example.com" for label in CASES)
        everybody = names + "".join(f",DNS:{label}.example.com" for label in ("bare",)) if host == "mail" else names
        good = self.pair(everybody)
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                     "-subj", "/CN=self", "-addext", f"subjectAltName={names}", "-keyout", "self.key", "-out", "self.pem")
        own = ["--cert", self.ca / "self.pem", "--key", self.ca / "self.key"]
        return {"good": good, "expired": self.pair(names, -1), "self": own,
                "other": self.pair("DNS:elsewhere.example.net"), "old": [*good, "--max-tls", "1.1"]}

    def test_each_is_its_own_finding_and_disturbs_no_other(self):
        certificates = self.certificates("mta-sts")
        self.web = self.start("faulty_http.py", *certificates["good"])
        web = {}
        for number, kind in enumerate(("expired", "self", "other", "old"), 2):
            web["web" + kind] = f"127.0.0.{number}"
            self.start("faulty_http.py", *certificates[kind], "--address", f"127.0.0.{number}", "--port", self.web)
        certificates = self.certificates("mail")
        self.mail = self.start("faulty_smtp.py", *certificates["good"], "good")
        mail = {}
        servers = sorted({server for _, _, server in CASES.values() if server not in (None, "good")})
        for number, server in enumerate(servers, 2):
            mail[server] = f"127.0.0.{number}"
            behaviour = "good" if server in certificates else server
            self.start("faulty_smtp.py", *certificates.get(server, certificates["good"]), "--address", mail[server],
                       "--port", self.mail, behaviour)
        self.port = Careless(self, self.zone_of(web, mail)).port
        self.env = {"STSCTL_RESOLVER": f"127.0.0.1:{self.port}"}

        begin = time.monotonic()
        out = self.verify("--json", "--timeout", "2s", *(f"{label}.example.com" for label in CASES), check=1).stdout
        self.assertLess(time.monotonic() - begin, 60, "deadlines")
        verdicts = {one["domain"].split(".")[0]: one for one in json.loads(out)["domains"]}
        self.assertEqual(set(verdicts), set(CASES))
        for label, (_, finding, server) in CASES.items():
            with self.subTest(label):
                found = [(one["id"], one["text"]) for one in verdicts[label]["findings"] if one["grade"] != "pass" or finding]
                bad = [one["id"] for one in verdicts[label]["findings"]
                       if one["grade"] != "pass" and not (one["id"] == "pattern-unused" and server is None)]
                if finding is None:
                    self.assertEqual(bad, [], found)
                    continue
                ids = [identity for identity, _ in found]
                self.assertIn(finding[0], ids, found)
                self.assertTrue(any(identity == finding[0] and finding[1] in text for identity, text in found), found)
                self.assertLessEqual(set(bad), {finding[0]}, "nothing else is wrong")


if __name__ == "__main__":
    world.main()
