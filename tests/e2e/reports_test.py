"""Reports from mailboxes to a summary, as a person meets it."""

import base64
import gzip
import html.parser
import json
import pathlib
import subprocess
import time

import jsonschema

import world

DAY = 86400
CONFIG = """version: 1
dns: {zones: {provider: zonefile, directory: zones}}
hosts: {web: {provider: directory, root: www, address: {cname: web.example.net}}}
reports: {store: state.sqlite3, authserv_ids: [mx.example.net]}
defaults: {dns: zones, host: web, policy: {mode: testing, max_age: 1d}}
domains:
  example.com: {policy: {mx: [mail.example.com]}}
"""
POLICY = ["version: STSv1", "mode: testing", "mx: mail.example.com", "max_age: 86400"]


def report(days_ago=1, organization="Google Inc.", domain="example.com", policy=POLICY, good=90, failures=()):
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - days_ago * DAY))
    return {
        "organization-name": organization,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "contact-info": "tls@sender.example",
        "report-id": f"{day}_{domain}",
        "policies": [{
            "policy": {"policy-type": "sts", "policy-string": policy, "policy-domain": domain},
            "summary": {"total-successful-session-count": good,
                        "total-failure-session-count": sum(count for _, _, count in failures)},
            "failure-details": [{"result-type": result, "receiving-mx-hostname": host, "failed-session-count": count}
                                for result, host, count in failures],
        }],
    }


def mail(content, signed_by=""):
    verdict = f"Authentication-Results: mx.example.net; dkim=pass header.d={signed_by}\n" if signed_by else ""
    body = base64.encodebytes(gzip.compress(json.dumps(content).encode())).decode()
    return f"""{verdict}From: <tls@{signed_by or "sender.example"}>
Content-Type: multipart/report; boundary=b; report-type=tlsrpt

--b
Content-Type: text/plain

A report.
--b
Content-Type: application/tlsrpt+gzip
Content-Transfer-Encoding: base64

{body}
--b--
"""


PAGE_TAGS = set("html head meta title style body h1 h2 h3 p section div span b i svg g rect table thead tbody "
                "tr th td".split())
PAGE_ATTRIBUTES = set("lang charset name content http-equiv class style viewbox role aria-label x y width height "
                      "preserveaspectratio".split())


class Page(html.parser.HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = set(), set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


def schema(name):
    return jsonschema.Draft202012Validator(
        json.loads((world.SOURCE / "schemas" / f"{name}.schema.json").read_text()))


class Reports(world.World):
    def setUp(self):
        super().setUp()
        (self.dir / "stsctl.yaml").write_text(CONFIG)
        box = self.dir / "Maildir"
        for folder in ("cur", "new", "tmp"):
            (box / folder).mkdir(parents=True)
        (box / "cur" / "1").write_text(mail(report(failures=[("certificate-expired", "mail.example.com", 10)]),
                                            "google.com"))
        (box / "cur" / "2").write_text("From: a@example.net\nSubject: hello\n\nhello\n")
        (self.dir / "plain.json").write_text(json.dumps(report(
            2, "Another <b>\x1b[31m", policy=POLICY[:3] + ["max_age: 604800"], good=5)))
        (self.dir / "zipped.json.gz").write_bytes(gzip.compress(json.dumps(report(40)).encode()))
        (self.dir / "foreign.json").write_text(json.dumps(report(domain="example.org")))
        (self.dir / "broken.json").write_text("{")

    def imported(self, *args, check=0, **kwargs):
        out = json.loads(self.run_it("reports", "import", "--json", *args, check=check, **kwargs).stdout)
        schema("report-import").validate(out)
        return out

    def summary(self, *args):
        out = json.loads(self.run_it("reports", "summary", "--json", *args, check=0).stdout)
        schema("report-summary").validate(out)
        return out

    def take_all(self):
        return self.imported("Maildir", "plain.json", "zipped.json.gz", "foreign.json", "broken.json")

    def test_import_says_what_became_of_each(self):
        out = self.take_all()
        self.assertEqual((out["stored"], out["verified"], out["duplicates"], out["set_aside"]), (3, 1, 0, 2))
        self.assertEqual((out["mails"], out["mails_without_report"]), (2, 1))
        self.assertTrue((self.dir / "state.sqlite3").exists())
        again = self.take_all()
        self.assertEqual((again["stored"], again["duplicates"], again["set_aside"]), (0, 3, 2))
        text = self.run_it("reports", "import", "broken.json", "Maildir", check=0)
        self.assertEqual(text.stdout,
                         "0 reports imported (0 verified), 1 there already, 1 set aside, 1 mail without a report\n")
        self.assertIn("set aside: broken.json: it is no JSON", text.stderr)

    def test_a_path_that_is_not_there_stops_no_other(self):
        out = self.imported("missing", "plain.json", check=1)
        self.assertEqual(out["stored"], 1)
        self.assertIn("missing", out["errors"][0])

    def test_a_delivery_agent_hands_mails_over_one_by_one(self):
        for domain in ("example.com", "example.com", "example.org"):
            self.run_it("reports", "import", "-", stdin=mail(report(domain=domain), "google.com"), check=0)
        self.assertEqual(self.summary()["verified_reports"], 1)

    def test_summary(self):
        self.take_all()
        out = self.summary()
        self.assertEqual(out["reports"], 2)
        self.assertEqual(out["sessions"]["total"], 105)
        self.assertEqual(out["sessions"]["failed"], 10)
        self.assertEqual(out["failures"][0]["result_type"], "certificate-expired")
        self.assertEqual(out["mx_hosts"][0]["host"], "mail.example.com")
        self.assertEqual([one["organization"] for one in out["organizations"]],
                         ["Google Inc.", "Another <b>\\x1B[31m"])
        caches = out["domains"][0]["caches"]
        self.assertEqual((caches["sessions_on_current"], caches["sessions_on_older"]), (100, 5))
        self.assertFalse(caches["published"])
        self.assertEqual(out["set_aside"]["count"], 2)
        self.assertEqual(self.summary("--since", "8w")["reports"], 3)
        self.assertEqual(self.summary("--domain", "*.org")["reports"], 0)
        self.assertEqual(self.summary("--domain", "EXAMPLE.com")["reports"], 2)
        del out["sessions"]["failed"]  # a schema that cannot fail checks nothing
        with self.assertRaises(jsonschema.ValidationError):
            schema("report-summary").validate(out)

    def test_summary_in_words(self):
        self.take_all()
        text = self.run_it("reports", "summary", check=0).stdout
        for line in ("2, 1 of them verified", "90.48%", "certificate-expired: 10 sessions",
                     "likely: The mail host's certificate has ended.", "mend: Renew it",
                     "behind: Another <b>\\x1B[31m", "Set aside: 2"):
            self.assertIn(line, text)
        self.assertNotIn("\x1b", text)

    def test_summary_as_a_page(self):
        self.take_all()
        self.run_it("reports", "import", "-", "--store", "state.sqlite3", stdin=json.dumps(report(
            3, "Q' onload=\"x\" & <script>alert(1)</script>", failures=[("<img src=x>", "</td><a href=/>", 3)])), check=0)
        out = self.run_it("reports", "summary", "--html", "page.html", check=0).stdout
        self.assertEqual(out, "")
        page = Page((self.dir / "page.html").read_text())
        self.assertEqual(page.open, [], "every element is closed")
        self.assertLessEqual(page.tags, PAGE_TAGS)
        self.assertLessEqual(page.attributes, PAGE_ATTRIBUTES)
        for text in ("certificate-expired: 10 sessions", "Another <b>\\x1B[31m", "<script>alert(1)</script>",
                     "<img src=x>: 3 sessions", "Mend: Renew it"):
            self.assertIn(text, page.text)
        self.run_it("reports", "summary", "--domain", "none.example", "--html", "empty.html", check=0)
        self.assertIn("There are no reports", (self.dir / "empty.html").read_text())
        self.run_it("reports", "summary", "--html", "no/such/folder.html", check=1)

    def test_caches_are_held_against_what_is_published(self):
        self.zone()
        self.take_all()
        self.put_policy("version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 604800\r\n")
        caches = self.summary("--published")["domains"][0]["caches"]
        self.assertEqual((caches["sessions_on_current"], caches["sessions_on_older"]), (5, 100))
        self.assertTrue(caches["published"])
        self.assertEqual([one["organization"] for one in caches["behind"]], ["Google Inc."])

    def test_the_store_may_be_elsewhere_and_need_no_configuration(self):
        (self.dir / "stsctl.yaml").unlink()
        self.assertIn("--store", self.run_it("reports", "summary", check=64).stderr)
        self.assertIn("reports import", self.run_it("reports", "summary", "--store", "x", check=1).stderr)
        out = self.imported("--store", "x", "foreign.json", "Maildir", "--authserv-id", "mx.example.net")
        self.assertEqual((out["stored"], out["verified"]), (2, 1))
        self.assertEqual(self.summary("--store", "x")["reports"], 2)

    def test_domains_that_are_not_configured_when_asked(self):
        self.assertEqual(self.imported("foreign.json", "--any-domain")["stored"], 1)

    def test_another_file_is_no_store(self):
        (self.dir / "state.sqlite3").write_text("precious" * 1000)
        self.assertIn("state.sqlite3", self.run_it("reports", "import", "plain.json", check=1).stderr)
        self.assertEqual((self.dir / "state.sqlite3").read_text(), "precious" * 1000)

    def test_killed_in_the_middle_it_goes_on(self):
        """What was there stays, and a second run takes the rest."""
        box = self.dir / "many.mbox"
        box.write_text("".join(f"From x\n{mail(report(organization=f'Sender {i}'), 'google.com')}\n"
                               for i in range(3000)))
        process = subprocess.Popen([world.STSCTL, "reports", "import", box], cwd=self.dir)
        store = self.dir / "state.sqlite3"
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            wal = pathlib.Path(f"{store}-wal")
            if wal.exists() and wal.stat().st_size > 200_000:
                process.kill()
                break
        process.wait()
        out = self.imported(str(box))
        self.assertEqual(out["stored"] + out["duplicates"], 3000)
        self.assertEqual(self.summary()["reports"], 3000)


if __name__ == "__main__":
    world.main()
