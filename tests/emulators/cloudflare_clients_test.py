"""The Cloudflare emulator, judged by clients that nobody here wrote: Debian's lexicon and the SDK that Cloudflare
publishes on npm. Both are as they come and speak to api.cloudflare.com: in a network and mount namespace of their
own, where that name is this machine. Only the installation of the SDK, once a build folder, looks outside."""

import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import npm

HERE = pathlib.Path(__file__).resolve().parent
HOST = "api.cloudflare.com"
TOKEN = "test-token-0123456789abcdefghijklmnopqrs"
INSIDE = "STSCTL_INSIDE"  # the namespace; names the folder with certificate and SDK


def run(*argv, **options):
    result = subprocess.run(argv, capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {result.stdout}{result.stderr}")
    return result.stdout


def make_certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
        "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST}",
        "-keyout", folder / "key.pem", "-out", folder / "request.pem")
    (folder / "names").write_text(f"subjectAltName=DNS:{HOST}")
    run("openssl", "x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey",
        folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", folder / "names", "-out", folder / "cert.pem")


def enter_namespace():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        make_certificate(folder)
        (folder / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
        (folder / "sdk").symlink_to(npm.install(HERE / "cloudflare_clients"))
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        script = 'ip link set lo up && mount --bind "$1/hosts" /etc/hosts && shift && exec "$@"'
        argv = ["unshare", *root, "--net", "--mount", "sh", "-c", script, "sh", folder, sys.executable, "-B", __file__]
        environment = {"PATH": os.environ["PATH"], "HOME": temporary, "LANG": "C.UTF-8", INSIDE: temporary,
                       "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"), "NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")}
        return subprocess.run(argv, env=environment).returncode


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(os.environ[INSIDE])
        cls.trust = ssl.create_default_context(cafile=cls.folder / "ca.pem")
        cls.server = subprocess.Popen(
            [sys.executable, "-B", HERE / "cloudflare.py", "--port", "443", "--cert", cls.folder / "cert.pem",
             "--key", cls.folder / "key.pem"], stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.server.stdout.close)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.kill)
        assert cls.server.stdout.readline() == "443\n"

    def control(self, method, what, value=None):
        request = urllib.request.Request(f"https://{HOST}/_emulator/{what}", json.dumps(value).encode(), method=method)
        with urllib.request.urlopen(request, context=self.trust, timeout=10) as reply:
            return json.load(reply)

    def load(self, *zones, **state):
        self.control("PUT", "state", {"tokens": [{"value": TOKEN}], "zones": zones, **state})

    def records(self):
        return self.control("GET", "state")["zones"][0]["records"]

    def lexicon(self, *arguments):
        return run("lexicon", "cloudflare", f"--auth-token={TOKEN}", *arguments, "--output=JSON")

    def test_lexicon_writes_reads_and_removes(self):
        neighbours = [{"type": "A", "name": f"host{i}", "content": f"192.0.2.{i}"} for i in range(120)]
        self.load({"name": "example.com", "records": neighbours})
        self.lexicon("create", "example.com", "TXT", "--name=_mta-sts", "--content=v=STSv1; id=1;", "--ttl=3600")
        (listed,) = json.loads(self.lexicon("list", "example.com", "TXT"))
        self.assertEqual((listed["name"], listed["content"], listed["ttl"]),
                         ("_mta-sts.example.com", "v=STSv1; id=1;", 3600))
        self.assertEqual(len(json.loads(self.lexicon("list", "example.com", "A"))), 120, "two pages")
        self.lexicon("update", "example.com", "TXT", "--name=_mta-sts", "--content=v=STSv1; id=2;")
        self.assertIn("v=STSv1; id=2;", [record["content"] for record in self.records()])
        self.lexicon("delete", "example.com", "TXT", "--name=_mta-sts")
        self.assertEqual({record["type"] for record in self.records()}, {"A"})

    def test_lexicon_takes_the_old_duplicate_error_as_done_and_not_the_new_one(self):
        create = ("create", "example.com", "TXT", "--name=a", "--content=x")
        self.load({"name": "example.com"}, duplicate_code=81057)
        self.lexicon(*create)
        self.lexicon(*create)
        self.load({"name": "example.com"})
        self.lexicon(*create)
        with self.assertRaisesRegex(RuntimeError, "400 Client Error"):
            self.lexicon(*create)
        self.assertEqual(len(self.records()), 1)

    def test_lexicon_is_told_of_a_wrong_token_and_a_missing_zone(self):
        self.load({"name": "example.com"}, tokens=[])
        with self.assertRaisesRegex(RuntimeError, "403 Client Error"):
            self.lexicon("list", "example.com", "TXT")
        self.load()
        with self.assertRaisesRegex(RuntimeError, "No domain found"):
            self.lexicon("list", "example.com", "TXT")

    def test_the_sdk_speaks_with_it(self):
        self.load({"name": "example.com", "records": [{"type": "A", "name": f"h{i}", "content": "192.0.2.1"}
                                                      for i in range(10)]},
                  *({"name": f"z{i}.example"} for i in range(119)))
        said = json.loads(run("node", "sdk.mjs", cwd=self.folder / "sdk",
                              env={**os.environ, "CLOUDFLARE_API_TOKEN": TOKEN}))
        self.assertEqual((said["verified"], said["zones"]), ("active", 120))
        self.assertEqual((said["created"]["content"], said["created"]["comment"]), ("v=STSv1; id=1;", "by hand"))
        self.assertEqual(said["same"], {"status": 400, "codes": [81058]})
        self.assertEqual((said["edited"]["content"], said["edited"]["comment"]), ('"v=STSv1; id=2;"', "by hand"))
        self.assertEqual((said["replaced"]["content"], said["replaced"]["comment"]), ('"v=STSv1; id=3;"', None))
        self.assertEqual(said["batch"]["deletes"][0]["id"], said["created"]["id"])
        alias, text = said["batch"]["posts"]
        self.assertEqual((alias["ttl"], alias["proxied"]), (1, True))
        self.assertEqual(text["content"], f'"{"a" * 255}" "{"a" * 45}"')
        self.assertEqual(said["undone"], {"status": 400, "codes": [1004, 9005]})
        self.assertEqual(said["beside"], {"status": 400, "codes": [81054]})
        self.assertEqual(said["tags"], {"status": 400, "codes": [1004, 9300]})
        self.assertEqual(said["ttl"], {"status": 400, "codes": [1004, 9021]})
        self.assertEqual(said["gone"], {"status": 404, "codes": [81044]})
        ours = ["_smtp._tls.example.com", "mta-sts.example.com"]
        self.assertEqual(said["all"], sorted([*ours, *(f"h{i}.example.com" for i in range(10))]))
        self.assertEqual((said["filtered"], said["either"], said["paged"]), (ours, ours, 12))

    def test_the_sdk_deploys_a_worker_to_custom_domains(self):
        taken = {"type": "CNAME", "name": "taken", "content": "web.example.net"}
        self.load({"name": "example.com", "records": [taken]}, {"name": "waits.example", "status": "pending"},
                  domains_a_zone=2)
        state = self.control("GET", "state")
        said = json.loads(run("node", "workers.mjs", state["accounts"][0]["id"], cwd=self.folder / "sdk",
                              env={**os.environ, "CLOUDFLARE_API_TOKEN": TOKEN}))
        self.assertEqual(said["absent"], {"status": 404, "codes": [10007]})
        self.assertEqual(said["fields"], {"status": 400, "codes": [10021]}, "the SDK's own form of metadata")
        self.assertEqual(said["missing"], {"status": 400, "codes": [10021]})
        self.assertEqual(said["kind"], {"status": 400, "codes": [10021]})
        self.assertEqual(said["uploaded"]["id"], "policies")
        self.assertEqual(said["listed"], [["policies", said["uploaded"]["etag"]]])
        self.assertEqual(said["content"], ["worker.js", ["worker.js"], said["script"]])
        self.assertNotEqual(said["replaced"]["etag"], said["uploaded"]["etag"])
        self.assertEqual((said["attached"]["hostname"], said["attached"]["service"], said["attached"]["zone_name"]),
                         ("mta-sts.example.com", "policies", "example.com"))
        self.assertEqual(said["again"]["id"], said["attached"]["id"])
        self.assertEqual(said["record"], [["AAAA", "100::", True, True]])
        self.assertEqual(said["readOnly"], {"status": 400, "codes": [1043]})
        self.assertEqual(said["taken"], {"status": 409, "codes": [100117]})
        for case in ("elsewhere", "pending"):
            self.assertEqual(said[case], {"status": 400, "codes": [10025]}, case)
        self.assertEqual(said["nobody"], {"status": 404, "codes": [10007]})
        self.assertEqual(said["full"], {"status": 400, "codes": [10056]})
        self.assertEqual(said["found"], [["mta-sts.example.com", "policies"]])
        self.assertEqual(said["all"], 2)
        self.assertEqual(said["inUse"], {"status": 400, "codes": [10064]})
        self.assertEqual(said["detached"], True)
        self.assertEqual(said["gone"], {"status": 404, "codes": [10030]})
        self.assertEqual(said["rest"], 1)
        self.assertEqual([record["name"] for record in self.records()], ["taken.example.com", "two.example.com"])

    def test_the_sdk_is_refused_workers_without_the_permission(self):
        self.load({"name": "example.com"}, tokens=[{"value": TOKEN, "permissions": ["zone:read", "dns:edit"]}])
        account = self.control("GET", "state")["accounts"][0]["id"]
        with self.assertRaisesRegex(RuntimeError, "10000"):
            run("node", "workers.mjs", account, cwd=self.folder / "sdk",
                env={**os.environ, "CLOUDFLARE_API_TOKEN": TOKEN})


if __name__ == "__main__":
    if INSIDE not in os.environ:
        sys.exit(enter_namespace())
    unittest.main()
