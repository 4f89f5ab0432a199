"""The Route 53 emulator held against clients that nobody here wrote: Debian's awscli, and lexicon, which
speaks to the real host name inside a network and mount namespace of its own (as root, or where users may
make namespaces)."""

import concurrent.futures
import contextlib
import fcntl
import io
import json
import multiprocessing
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import running

KEY = {"access_key": "AKIATEST", "secret_key": "wrong/right+secret"}
ZONES = [
    {"id": "Z1", "name": "example.com", "records": [
        {"name": "_mta-sts.example.com", "type": "TXT", "ttl": 300, "values": ['"v=STSv1; id=1;"']},
        {"name": "*.example.com", "type": "A", "ttl": 60, "values": ["192.0.2.1"]},
        {"name": "w.example.com", "type": "TXT", "identifier": "one", "routing": {"Weight": "1"}, "ttl": 60,
         "values": ['"a"']}]},
    {"id": "Z2", "name": "example.com", "private": True},
    {"id": "Z3", "name": "example-a.com"},
]


class Emulator(running.Emulator):
    def load(self, zones=ZONES, **more):
        identity = {"keys": [KEY]} | more.pop("identity", {})
        self.control("PUT", "state", {"zones": zones, "identity": identity} | more)

    def records(self, zone="Z1"):
        zones = {one["id"]: one for one in self.control("GET", "state")["zones"]}
        return {(one["name"], one["type"]): one for one in zones[zone]["records"]}


def run_cli(arguments, environment):
    """The AWS CLI as /usr/bin/aws runs it, in a process of the pool: starting Python for each would take a
    second. Returns its exit code, stdout and stderr."""
    import awscli.clidriver

    own = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}  # set by the import
    os.environ.clear()
    os.environ.update(environment | own)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = awscli.clidriver.create_clidriver().main(arguments)
    return code, out.getvalue(), err.getvalue()


def aws(emulator, *arguments, **environment):
    """(exit code, parsed JSON or stderr) of the AWS CLI."""
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_DEFAULT_REGION": "us-east-1",
                 "AWS_ACCESS_KEY_ID": KEY["access_key"], "AWS_SECRET_ACCESS_KEY": KEY["secret_key"],
                 "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"} | environment
    variables = {name: value for name, value in variables.items() if value is not None}
    command = ["--endpoint-url", emulator.url, "--output", "json", *arguments]
    code, out, err = POOL.apply(run_cli, (command, variables))
    return (code, err) if code else (0, json.loads(out or "null"))


def change(action, name="_mta-sts.example.com", kind="TXT", ttl=300, values=('"v=STSv1; id=1;"',)):
    return {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": ttl,
                                                    "ResourceRecords": [{"Value": v} for v in values]}}


def change_batch(emulator, *changes, zone="Z1", **environment):
    return aws(emulator, "route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch",
               json.dumps({"Changes": list(changes)}), **environment)


def together(*calls):
    """Runs the calls side by side."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


class AwsCliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator("route53.py")
        cls.addClassCleanup(cls.emulator.stop)

    def setUp(self):
        self.emulator.load()
        self.emulator.control("DELETE", "journal")

    def route53(self, *arguments, **environment):
        return aws(self.emulator, "route53", *arguments, **environment)

    def test_lists_zones_in_its_order_and_pages(self):
        many = [{"id": f"Z{i:04d}", "name": f"z{i}.example"} for i in range(230)]
        self.emulator.load(many)
        (code, listed), (code_by_name, by_name) = together(
            lambda: self.route53("list-hosted-zones"),
            lambda: self.route53("list-hosted-zones-by-name", "--dns-name", "z10.example", "--max-items", "3"))
        self.assertEqual((code, code_by_name), (0, 0), (listed, by_name))
        self.assertEqual(len(listed["HostedZones"]), 230)
        self.assertEqual([zone["Name"] for zone in by_name["HostedZones"]],
                         ["z10.example.", "z100.example.", "z101.example."])
        self.assertEqual((by_name["IsTruncated"], by_name["NextDNSName"]), (True, "z102.example."))
        pages = [entry for entry in self.emulator.control("GET", "journal")["requests"]
                 if entry["path"] == "/2013-04-01/hostedzone"]
        self.assertEqual(len(pages), 3)

    def test_lists_records_by_reversed_labels_with_escapes(self):
        (code, zones), (_, records), (_, some) = together(
            lambda: self.route53("list-hosted-zones-by-name"),
            lambda: self.route53("list-resource-record-sets", "--hosted-zone-id", "Z1"),
            lambda: self.route53("list-resource-record-sets", "--hosted-zone-id", "Z1", "--start-record-name",
                                 "_mta-sts.example.com", "--start-record-type", "TXT", "--max-items", "1"))
        self.assertEqual(code, 0, zones)
        self.assertEqual([(zone["Id"], zone["Config"]["PrivateZone"]) for zone in zones["HostedZones"]],
                         [("/hostedzone/Z3", False), ("/hostedzone/Z1", False), ("/hostedzone/Z2", True)])
        self.assertEqual([(one["Name"], one["Type"]) for one in records["ResourceRecordSets"]],
                         [("example.com.", "NS"), ("example.com.", "SOA"), ("\\052.example.com.", "A"),
                          ("_mta-sts.example.com.", "TXT"), ("w.example.com.", "TXT")])
        self.assertEqual(records["ResourceRecordSets"][-1]["Weight"], 1)
        self.assertEqual(some["ResourceRecordSets"],
                         [{"Name": "_mta-sts.example.com.", "Type": "TXT", "TTL": 300,
                           "ResourceRecords": [{"Value": '"v=STSv1; id=1;"'}]}])

    def test_changes_wholly_or_not_at_all(self):
        code, answer = change_batch(self.emulator, change("DELETE"),
                                    change("CREATE", ttl=600, values=['"v=STSv1; id=2;"']))
        self.assertEqual((code, answer["ChangeInfo"]["Status"]), (0, "PENDING"), answer)
        self.assertEqual(self.emulator.records()["_mta-sts.example.com.", "TXT"]["ttl"], 600)
        before = self.emulator.records()
        identifier = answer["ChangeInfo"]["Id"]
        code, refused = change_batch(self.emulator, change("CREATE", name="new.example.com"), change("DELETE"))
        self.assertEqual(code, 254)
        self.assertIn("InvalidChangeBatch", refused)
        self.assertIn("but the values provided do not match the current values", refused)
        self.assertEqual(self.emulator.records(), before)
        states = [self.route53("get-change", "--id", identifier)[1]["ChangeInfo"]["Status"] for _ in range(2)]
        self.assertEqual(states, ["PENDING", "INSYNC"])

    def test_refuses_what_the_service_refuses(self):
        cases = [
            ("it already exists", [change("CREATE")]),
            ("it was not found", [change("DELETE", name="no.example.com")]),
            ("do not match the current values", [change("DELETE", ttl=301)]),
            ("enclosed in quotation marks", [change("CREATE", name="q.example.com", values=["bare"])]),
            ("CharacterStringTooLong", [change("CREATE", name="q.example.com", values=['"' + "a" * 256 + '"'])]),
            ("conflicts with other records", [change("CREATE", kind="CNAME", values=["x.example"])]),
            ("not permitted in zone", [change("CREATE", name="x.example.net")]),
            ("other RRSets exist", [change("CREATE", name="w.example.com")]),
            ("Duplicate Resource Record", [change("CREATE", name="d.example.com", values=['"a"', '"a"'])]),
            ("records limit of 1000", [change("CREATE", name="m.example.com",
                                              values=[f'"{i}"' for i in range(1001)])]),
            ("records limit of 1000", [change("UPSERT", name="m.example.com",
                                              values=[f'"{i}"' for i in range(501)])]),
            ("characters limit of 32000", [change("CREATE", name=f"c{i}.example.com",
                                                  values=[" ".join(['"' + "a" * 250 + '"'] * 15)])
                                           for i in range(9)]),
            ("invalid set of changes", [change("DELETE"), change("DELETE")]),
            ("TTL", [change("CREATE", name="t.example.com", ttl=2147483648)]),
        ]
        before = self.emulator.records()
        answers = together(*[lambda changes=changes: change_batch(self.emulator, *changes) for _, changes in cases])
        for (expected, _), (code, said) in zip(cases, answers):
            self.assertEqual(code, 254, said)
            self.assertIn(expected, said)
        self.assertEqual(self.emulator.records(), before)

    def test_judges_who_asks(self):
        keys = [KEY, KEY | {"access_key": "ASIAGOOD", "session_token": "to/ken+=="},
                KEY | {"access_key": "ASIAOLD", "session_token": "t", "expires": 1},
                KEY | {"access_key": "AKIALESS", "denied": ["route53:ListHostedZonesByName"]}]
        self.emulator.load(identity={"keys": keys})
        cases = [
            ("", {}),
            ("", {"AWS_ACCESS_KEY_ID": "ASIAGOOD", "AWS_SESSION_TOKEN": "to/ken+=="}),
            ("InvalidClientTokenId", {"AWS_ACCESS_KEY_ID": "ASIAGOOD", "AWS_SESSION_TOKEN": "other"}),
            ("ExpiredToken", {"AWS_ACCESS_KEY_ID": "ASIAOLD", "AWS_SESSION_TOKEN": "t"}),
            ("InvalidClientTokenId", {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}),
            ("SignatureDoesNotMatch", {"AWS_SECRET_ACCESS_KEY": "wrong"}),
            ("not authorized to perform: route53:ListHostedZonesByName", {"AWS_ACCESS_KEY_ID": "AKIALESS"}),
        ]
        answers = together(*[lambda environment=environment: self.route53(
            "list-hosted-zones-by-name", "--dns-name", "a b.example", **environment) for _, environment in cases])
        for (expected, environment), (code, said) in zip(cases, answers):
            if expected:
                self.assertEqual(code, 254, environment)
                self.assertIn(expected, said)
            else:
                self.assertEqual(code, 0, said)
        self.emulator.load(identity={"clock_offset": 1000})
        self.assertIn("Signature expired", self.route53("list-hosted-zones")[1])

    def test_limits_the_rate(self):
        self.emulator.load(limit={"capacity": 1, "refill": 0.001})
        first, second = self.route53("list-hosted-zones"), self.route53("list-hosted-zones")
        self.assertEqual(first[0], 0, first)
        self.assertIn("Throttling", second[1])
        self.emulator.load([ZONES[0] | {"busy": 1}])
        first, second = [change_batch(self.emulator, change("DELETE")) for _ in range(2)]
        self.assertIn("PriorRequestNotComplete", first[1])
        self.assertEqual(second[0], 0, second)

    def test_hands_out_keys_as_the_services_beside_it_do(self):
        role = "arn:aws:iam::123456789012:role/dns"
        self.emulator.load(identity={
            "roles": [{"arn": role, "trusts": [KEY["access_key"], "a.web.token"], "external_id": ""}],
            "instance": {"role": "machine"}, "container": {"token": "bearer"}})
        none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        sts = ["sts", "assume-role", "--role-arn", role, "--role-session-name", "test"]
        web = ["sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "test",
               "--web-identity-token", "a.web.token"]
        assumed, by_web, wrong, instance, container = together(
            lambda: aws(self.emulator, *sts), lambda: aws(self.emulator, *web, **none),
            lambda: aws(self.emulator, *web[:-1], "another", **none),
            lambda: self.route53("list-hosted-zones", **none, AWS_EC2_METADATA_DISABLED="false",
                                 AWS_EC2_METADATA_SERVICE_ENDPOINT=self.emulator.url + "/"),
            lambda: self.route53("list-hosted-zones", **none, AWS_CONTAINER_AUTHORIZATION_TOKEN="bearer",
                                 AWS_CONTAINER_CREDENTIALS_FULL_URI=self.emulator.url + "/container"))
        self.assertIn("AccessDenied", wrong[1])
        for answer in (instance, container):
            self.assertEqual(answer[0], 0, answer)
        for code, answer in (assumed, by_web):
            self.assertEqual(code, 0, answer)
            keys = answer["Credentials"]
            code, listed = self.route53("list-hosted-zones", AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
                                        AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
                                        AWS_SESSION_TOKEN=keys["SessionToken"])
            self.assertEqual(code, 0, listed)


def lexicon(action, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_CA_BUNDLE": os.environ["TEST_CA"],
                   "AWS_DEFAULT_REGION": "us-east-1", "LEXICON_ROUTE53_AUTH_ACCESS_KEY": KEY["access_key"],
                   "LEXICON_ROUTE53_AUTH_ACCESS_SECRET": KEY["secret_key"]}
    run = subprocess.run(["/usr/bin/lexicon", "--delegated", "example.com", "route53", action, "example.com", "TXT",
                          "--private-zone", "false", "--output", "JSON", *arguments],
                         env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # SIOCSIFFLAGS with IFF_UP | IFF_RUNNING
        fcntl.ioctl(sock, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))


def inside():
    """lexicon's part, in the namespace: prints what happened as JSON."""
    raise_loopback()
    folder = pathlib.Path(os.environ["TEST_FOLDER"])
    subprocess.run(["mount", "--bind", folder / "hosts", "/etc/hosts"], check=True)
    emulator = Emulator("route53.py", "--port", "443", "--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem"))
    try:
        control("PUT", "state", {"zones": ZONES, "identity": {"keys": [KEY]}})
        name = ["--name", "_smtp._tls.example.com"]
        record = [*name, "--content", "v=TLSRPTv1; rua=mailto:a@b.example", "--ttl", "300"]
        seen = {"created": json.loads(lexicon("create", *record)), "listed": json.loads(lexicon("list", *name))}
        lexicon("delete", *record)
        print(json.dumps(seen | {"left": control("GET", "state")["zones"]}))
    finally:
        os.kill(emulator.process.pid, signal.SIGKILL)


def control(method, what, value=None):
    """The emulator behind TLS, by curl."""
    run = subprocess.run(["curl", "-sSf", "--cacert", os.environ["TEST_CA"], "-X", method, "--data-binary", "@-",
                          "https://route53.amazonaws.com/_emulator/" + what], input=json.dumps(value),
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class LexiconTest(unittest.TestCase):
    def test_creates_lists_and_deletes_at_the_real_name(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name)
        path.chmod(0o755)
        (path / "hosts").write_text("127.0.0.1 localhost route53.amazonaws.com\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=route53.amazonaws.com", "-addext", "subjectAltName=DNS:route53.amazonaws.com",
                        "-keyout", path / "key.pem", "-out", path / "cert.pem"], check=True, capture_output=True)
        alone = ["unshare", "-n", "-m"] + ([] if os.geteuid() == 0 else ["-r"])
        run = subprocess.run([*alone, "/usr/bin/python3", "-B", __file__, "inside"], capture_output=True, text=True,
                             env=os.environ | {"TEST_FOLDER": str(path), "TEST_CA": str(path / "cert.pem")},
                             timeout=240)
        self.assertEqual(run.returncode, 0, run.stderr[-3000:])
        seen = json.loads(run.stdout)
        self.assertTrue(seen["created"])
        self.assertEqual([(one["name"], one["ttl"], one["content"].strip('"')) for one in seen["listed"]],
                         [("_smtp._tls.example.com", 300, "v=TLSRPTv1; rua=mailto:a@b.example")])
        names = {record["name"] for zone in seen["left"] for record in zone["records"]}
        self.assertNotIn("_smtp._tls.example.com.", names)


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        inside()
    else:
        with multiprocessing.get_context("spawn").Pool(3) as POOL:
            unittest.main()
