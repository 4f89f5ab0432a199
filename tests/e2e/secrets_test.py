"""No secret in any output, saved plan, log or error."""

import base64
import json
import urllib.parse

import apis
import name_servers
import world
from mixed_test import ACCOUNTS, HEAD


def forms_of(secret):
    """How a secret may look where it does not belong."""
    raw = secret.encode()
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(raw).decode().rstrip("=")
    yield raw.hex()
    yield secret[: len(secret) * 2 // 3]  # most of it is as good as all


class Secrets(world.World):
    """Secrets in the file itself, in the environment and in files; every command, every stream, every
    file written, at level debug; with credentials that are right, and with some that are refused."""

    def setUp(self):
        super().setUp()
        pdns = name_servers.PowerDns(self, ["pdns1.example"])
        bind = name_servers.Bind(self, ["bind1.example"], "YmluZCdzIHNlY3JldCBvZiBubyB3b3J0aA==")
        knot = name_servers.Knot(self, ["knot1.example"], "a25vdCdzIHNlY3JldCBvZiBubyB3b3J0aA==")
        cf = apis.Cloudflare(self, ["cf1.example", "cfkey1.example"])
        cf.change(users=[{"email": "ops@example.net", "key": "cloudflare-key-of-no-worth-000000000"}])
        aws = self.aws = apis.Route53(self, ["aws1.example", "awsrole1.example"])
        session = "aws-session/token+of-no-worth=="
        role = "arn:aws:iam::123456789012:role/stsctl"
        keys = [{"access_key": "AKIATEST", "secret_key": aws.env["AWS_SECRET_ACCESS_KEY"], "session_token": session}]
        aws.change(identity={"keys": keys, "roles": [{"arn": role, "trusts": ["AKIATEST"]}]})
        self.zone("files1.example")
        (self.dir / "knot.secret").write_text(knot.secret + "\n")
        key = "AWS_SECRET_ACCESS_KEY"
        self.right = {"PDNS_KEY": pdns.api_key, "RELOAD": "reload-word-of-no-worth", "CLOUDFLARE_API_TOKEN": cf.token,
                      "CLOUDFLARE_KEY": "cloudflare-key-of-no-worth-000000000", key: aws.env[key],
                      "AWS_SESSION_TOKEN": session}
        self.wrong = {**self.right, "PDNS_KEY": "wrong-api-key-of-no-worth",
                      "CLOUDFLARE_API_TOKEN": "wrong-cloudflare-token-of-no-worth-00000",
                      "CLOUDFLARE_KEY": "wrong-cloudflare-key-of-no-worth-000", "AWS_SESSION_TOKEN": "wrong-session-of-no-worth",
                      key: "wrong-aws-secret-of-no-worth-in-tests"}
        self.secrets = {bind.secret, knot.secret, *self.right.values(), *self.wrong.values()}
        env = {**aws.env, "AWS_ENDPOINT_URL_STS": aws.api}
        self.right, self.wrong = {**env, **self.right}, {**env, **self.wrong}
        self.said = ""
        head = HEAD.format(api=pdns.api, bind=bind.port, knot=knot.port, cf=cf.api, aws=aws.api)
        first, second = "${env:TSIG}", "${file:knot.secret}"
        head = head.replace(first, bind.secret, 1).replace(first, second, 1)
        self.assertIn(second, head)
        head = head.replace("hosts:\n", f'''  cfkey: {{provider: cloudflare, endpoint: "{cf.api}/client/v4", email: ops@example.net,
          key: "${{env:CLOUDFLARE_KEY}}", timeout: 3s}}
  awsrole: {{provider: route53, endpoint: "{aws.api}", role_arn: "{role}", timeout: 3s}}
hosts:
''')
        self.config("".join(f"  {account}1.example: {{dns: {account}, policy: {{mx: [mail.example.net]}}}}\n"
                            for account in (*ACCOUNTS, "cfkey", "awsrole")),
                    head.replace("directory: zones}", 'directory: zones, reload: ["true", "${env:RELOAD}"]}'))

    def search(self, where, text):
        for secret in self.secrets:
            for form in forms_of(secret):
                self.assertNotIn(form, text, where)

    def run_and_search(self, *arguments, env):
        result = self.run_it("--log-level", "debug", *arguments, env=env)
        self.search(arguments, result.stdout)
        self.search(arguments, result.stderr)
        self.said += result.stdout + result.stderr
        for path in self.dir.rglob("*"):
            if path.is_file() and path.name not in ("stsctl.yaml", "knot.secret"):
                self.search((arguments, path), path.read_text())
                self.said += path.read_text()
        return result

    def test_no_secret_shows_anywhere(self):
        for env, refused in ((self.wrong, True), (self.right, False)):
            for arguments in (["validate"], ["plan"], ["plan", "--json"], ["plan", "--markdown"],
                              ["plan", "-o", "plan.json"], ["status"], ["status", "--json"],
                              ["apply", "--yes"], ["apply", "--yes", "--json"], ["providers"], ["schema"]):
                result = self.run_and_search(*arguments, env=env)
                if arguments[0] in ("plan", "status", "apply"):
                    self.assertIn("X-API-Key: ***", result.stderr, arguments)
                    self.assertEqual("does not accept the API key" in result.stdout, refused, arguments)
        self.run_and_search("apply", "plan.json", "--yes", env=self.right)
        # Nobody knew these before: the token service made them.
        minted = [one for one in self.aws.control("GET", "state")["identity"]["keys"] if one["access_key"] != "AKIATEST"]
        self.assertGreaterEqual(len(minted), 2)
        for one in minted:
            self.secrets |= {one["secret_key"], one["session_token"]}
        self.search("what was minted", self.said)

    def test_a_configuration_that_is_refused_shows_none(self):
        text = (self.dir / "stsctl.yaml").read_text()
        for right, wrong in (("port: ", "port: x"), ("name: stsctl", "nmae: stsctl"), ("secret: ", "secert: "),
                             ("secret: ", "secret: ["), ("provider: rfc2136", "provider: rfc2135"),
                             ("key: {", "key: {{"), ("domains:", "domains")):
            with self.subTest(wrong):
                (self.dir / "stsctl.yaml").write_text(text.replace(right, wrong))
                result = self.run_it("--log-level", "debug", "plan", env=self.right, check=64)
                self.search(wrong, result.stdout + result.stderr)

    def test_the_search_finds_what_is_there(self):
        for form in forms_of(next(iter(self.secrets))):
            with self.assertRaises(AssertionError):
                self.search("here", f"before {form} after")


if __name__ == "__main__":
    world.main()
