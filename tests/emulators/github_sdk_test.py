"""github.py, judged by GitHub's own client (npm @octokit/rest), and by git."""

import http.client
import json
import pathlib
import subprocess
import sys
import unittest

import npm

HERE = pathlib.Path(__file__).resolve().parent
STATE = {
    "builds": 2,
    "tokens": {"token": {"login": "octocat", "scopes": ["repo"]},
               "open": {"login": "open", "scopes": ["public_repo"]}, "nothing": {"login": "nothing", "scopes": []},
               "reader": {"login": "reader", "permissions": {"contents": "read"}, "repositories": ["octocat/policies"]}},
    "repositories": {
        "octocat/policies": {}, "octocat/hidden": {"private": True}, "octocat/archived": {"archived": True},
        "octocat/open": {}, "octocat/protected": {"protected": ["main"]}, "octocat/empty": {"branches": {}},
        "octocat/site": {"pages": {}}},
}


class GitHubTest(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([sys.executable, "-B", HERE / "github.py"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.terminate)
        self.port = int(self.server.stdout.readline())
        self.control("PUT", STATE)

    def control(self, method, value=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, "/_emulator/state", json.dumps(value))
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200)
            return json.loads(reply.read())
        finally:
            connection.close()

    def test_the_official_client_finds_a_github(self):
        folder = npm.install(HERE / "github_sdk")
        done = subprocess.run(["node", "proof.mjs", f"http://127.0.0.1:{self.port}"], cwd=folder,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stdout), (0, "proved\n"), done.stderr)
        main = self.control("GET")["repositories"]["octocat/policies"]["branches"]["main"]  # git fsck runs
        self.assertEqual([commit["message"].strip() for commit in main["commits"]],
                         ["Three", *["Bytes"] * 4, *["Write"] * 3, "First commit"])
        self.assertEqual(main["commits"][6]["author"], "A <a@example.net>")
        self.assertEqual(main["files"]["c/mta-sts.txt"], "c\r\n")


if __name__ == "__main__":
    unittest.main()
