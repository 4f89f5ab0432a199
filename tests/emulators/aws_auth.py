"""Who asks an emulator of AWS: keys, signatures (judged by Debian's botocore), permissions, roles and
the services that hand out keys. Knows nothing of the stsctl client."""

import datetime
import json
import re
import secrets
import time
import urllib.parse
import xml.sax.saxutils

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from emulator import Reply

ACCOUNT = "123456789012"
TOLERANCE = 300  # seconds a signature holds
FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.messages = status, code, [message]


def escape(text):
    return xml.sax.saxutils.escape(text)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def compact(seconds):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


class Identities:
    """The keys there are, and what each may do. `state` is the emulator's member "identity":

    {"keys": [{"access_key", "secret_key", "session_token": "" , "expires": epoch or null,
               "denied": ["route53:GetChange", or with " " and the resource's ARN], "arn": "..."}],
     "roles": [{"arn", "trusts": [access keys and web identity tokens], "external_id": "",
                "lifetime": seconds, "denied": []}],
     "instance": {"role": name or "", "token_only": true}, "container": {"token": "..."},
     "clock_offset": seconds the service's clock is ahead of the machine's,
     "tolerance": seconds a signature holds (300)}
    """

    def __init__(self):
        self.load({})

    def load(self, state):
        self.keys = {key["access_key"]: key for key in state.get("keys", [])}
        self.roles = {role["arn"]: role for role in state.get("roles", [])}
        self.instance = state.get("instance")
        self.container = state.get("container")
        self.clock_offset = state.get("clock_offset", 0)
        self.tolerance = state.get("tolerance", TOLERANCE)
        self.instance_tokens = set()

    def dump(self):
        return {"keys": list(self.keys.values()), "roles": list(self.roles.values())}

    def now(self):
        return time.time() + self.clock_offset

    # Signatures

    def authenticate(self, request, service, region):
        """The key that signed `request`; Refusal as AWS words it."""
        header = request.header("Authorization", "")
        fields = dict(FIELD.findall(header))
        if not header.startswith("AWS4-HMAC-SHA256 ") or len(fields) != 3:
            raise Refusal(403, "MissingAuthenticationToken", "Missing Authentication Token")
        access_key, *scope = fields["Credential"].split("/")
        key = self.keys.get(access_key)
        if key is None:
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        self.check_date(request, scope, service, region)
        self.check_signature(request, key, fields, scope)
        if request.header("X-Amz-Security-Token", "") != (key.get("session_token") or ""):
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if key.get("expires") is not None and key["expires"] <= self.now():
            raise Refusal(403, "ExpiredToken", "The security token included in the request is expired")
        return key

    def check_date(self, request, scope, service, region):
        stamp = request.header("X-Amz-Date", "")
        try:
            date = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            raise Refusal(403, "IncompleteSignature", "Date must be in ISO-8601 'basic format'.") from None
        if scope != [stamp[:8], region, service, "aws4_request"]:
            raise Refusal(403, "SignatureDoesNotMatch",
                          f"Credential should be scoped to a valid region, service and date: {'/'.join(scope)}")
        late = self.now() - date.timestamp()
        if late > self.tolerance:
            raise Refusal(403, "SignatureDoesNotMatch",
                          f"Signature expired: {stamp} is now earlier than {compact(self.now() - self.tolerance)} "
                          f"({compact(self.now())} - 5 min.)")
        if late < -self.tolerance:
            raise Refusal(403, "SignatureDoesNotMatch",
                          f"Signature not yet current: {stamp} is still later than "
                          f"{compact(self.now() + self.tolerance)} ({compact(self.now())} + 5 min.)")

    @staticmethod
    def check_signature(request, key, fields, scope):
        names = fields["SignedHeaders"].split(";")
        must = {"host", "x-amz-date"} | ({"x-amz-security-token"} if key.get("session_token") else set())
        must |= {n.lower() for n, _ in request.headers if n.lower() in ("content-type",) or n.lower().startswith("x-amz-")}
        if not must <= set(names):
            raise Refusal(403, "SignatureDoesNotMatch", f"Not signed: {sorted(must - set(names))}")
        headers = {name: value for name, value in request.headers if name.lower() in names}
        made = botocore.awsrequest.AWSRequest(
            method=request.method, url="http://x" + request.path, headers=headers, data=request.body,
            params=urllib.parse.parse_qsl(request.query.replace("+", "%2B"), keep_blank_values=True))
        made.context["timestamp"] = request.header("X-Amz-Date")
        credentials = botocore.credentials.Credentials(key["access_key"], key["secret_key"])
        judge = botocore.auth.S3SigV4Auth if scope[2] == "s3" else botocore.auth.SigV4Auth
        signer = judge(credentials, scope[2], scope[1])
        canonical = signer.canonical_request(made)
        to_sign = signer.string_to_sign(made, canonical)
        if signer.signature(to_sign, made) != fields["Signature"]:
            raise Refusal(403, "SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided. Check your "
                          "AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"
                          f"The Canonical String for this request should have been\n'{canonical}'\n\n"
                          f"The String-to-Sign should have been\n'{to_sign}'\n")

    @staticmethod
    def authorize(key, action, resource):
        if not {action, f"{action} {resource}"}.isdisjoint(key.get("denied", [])):
            arn = key.get("arn", f"arn:aws:iam::{ACCOUNT}:user/{key['access_key'].lower()}")
            raise Refusal(403, "AccessDenied",
                          f"User: {arn} is not authorized to perform: {action} on resource: {resource} because no "
                          f"identity-based policy allows the {action} action")

    # The token service

    def assume(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))
        action = form.get("Action", "")
        if form.get("Version") != "2011-06-15" or action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            raise Refusal(400, "InvalidAction", f"Could not find operation {action}")
        if not 2 <= len(form.get("RoleSessionName", "")) <= 64:
            raise Refusal(400, "ValidationError", "1 validation error detected: Value at 'roleSessionName' failed")
        if action == "AssumeRole":
            who = self.authenticate(request, "sts", "us-east-1")["access_key"]
        else:
            who = form.get("WebIdentityToken", "")
            if len(who) < 4:
                raise Refusal(400, "ValidationError", "1 validation error detected: Value at 'webIdentityToken' failed")
        role = self.roles.get(form.get("RoleArn", ""))
        if role is None or who not in role.get("trusts", []) or \
                role.get("external_id", "") != form.get("ExternalId", ""):
            raise Refusal(403, "AccessDenied", f"Not authorized to perform sts:{action}")
        lifetime = int(form.get("DurationSeconds", role.get("lifetime", 3600)))
        key = self.temporary(lifetime, f"{role['arn'].replace(':iam:', ':sts:').replace('role/', 'assumed-role/')}/"
                             f"{form['RoleSessionName']}", role.get("denied", []))
        body = (f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
                f"<AccessKeyId>{key['access_key']}</AccessKeyId><SecretAccessKey>{escape(key['secret_key'])}"
                f"</SecretAccessKey><SessionToken>{escape(key['session_token'])}</SessionToken>"
                f"<Expiration>{iso(key['expires'])}</Expiration></Credentials></{action}Result></{action}Response>")
        return Reply(200, body.encode(), [("Content-Type", "text/xml")])

    def temporary(self, lifetime, arn, denied):
        key = {"access_key": "ASIA" + secrets.token_hex(8).upper(), "secret_key": secrets.token_urlsafe(30),
               "session_token": secrets.token_urlsafe(200) + "==", "expires": self.now() + lifetime, "arn": arn,
               "denied": denied}
        self.keys[key["access_key"]] = key
        return key

    # The metadata services

    def metadata(self, request):
        """The instance's, version 2 only."""
        if self.instance is None:
            return Reply(404)
        if request.path == "/latest/api/token":
            if request.method != "PUT" or not request.header("X-aws-ec2-metadata-token-ttl-seconds"):
                return Reply(400)
            token = secrets.token_urlsafe(40)
            self.instance_tokens.add(token)
            return Reply(200, token.encode())
        if request.header("X-aws-ec2-metadata-token") not in self.instance_tokens:
            return Reply(401)
        role = self.instance.get("role", "")
        if request.path == "/latest/meta-data/iam/security-credentials/" and role:
            return Reply(200, role.encode())
        if role and request.path == "/latest/meta-data/iam/security-credentials/" + role:
            return self.document({"Code": "Success", "Type": "AWS-HMAC"})
        return Reply(404)

    def containers(self, request):
        if self.container is None or request.header("Authorization", "") != self.container.get("token", ""):
            return Reply(401)
        return self.document({})

    def document(self, fields):
        key = self.temporary(3600, f"arn:aws:sts::{ACCOUNT}:assumed-role/machine/i-1", [])
        fields |= {"AccessKeyId": key["access_key"], "SecretAccessKey": key["secret_key"],
                   "Token": key["session_token"], "Expiration": iso(key["expires"])}
        return Reply(200, json.dumps(fields).encode(), [("Content-Type", "application/json")])
