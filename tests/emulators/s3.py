"""Amazon S3 as far as policies go: GetObject, HeadObject, PutObject, DeleteObject and ListObjectsV2, by path or by host
name; signatures and payload digests judged by botocore, conditional writes, errors as the service words them.

State (PUT /_emulator/state):

    {"buckets": {NAME: {"region": "us-east-1", "public": false (true: everybody may get its objects),
                        "objects": {KEY: {"body" (base64), "content_type", "cache_control"}}}},
     "identity": see aws_auth.Identities,
     "conditions": "kept" | "refused" (501, as Swift does) | "ignored" (as some stores do),
     "endpoint_region": of the endpoint; null: every bucket has its own endpoint,
     "slow_down": how many requests are turned away next,
     "racing": how many conditional writes meet another one that is under way}

or, to change what is there, {"change": {BUCKET: {KEY: object, or null: gone}}}.
"""

import base64
import hashlib
import re
import threading
import urllib.parse

import aws_auth
import emulator
from aws_auth import Refusal, escape
from emulator import Reply

LONGEST_KEY = 1024


def element(name, content=""):
    return f"<{name}>{content}</{name}>"


def xml(root, content, status=200, headers=()):
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{content}</{root}>'
    return Reply(status, body.encode(), [("Content-Type", "application/xml"), *headers])


def etag(item):
    return f'"{hashlib.md5(item["body"]).hexdigest()}"'


def taken(item):
    """An object as the state has it."""
    return {**item, "body": base64.b64decode(item["body"])}


def shown(item):
    return {**item, "body": base64.b64encode(item["body"]).decode()}


class S3(emulator.Service):
    def __init__(self, options):
        super().__init__(options)
        self.identities = aws_auth.Identities()
        self.writing = threading.Lock()
        self.load({})

    def load(self, state):
        if "change" in state:
            return self.change(state["change"])
        self.buckets = {name: {"region": "us-east-1", **bucket, "objects": {
            key: taken(item) for key, item in bucket.get("objects", {}).items()}}
            for name, bucket in state.get("buckets", {}).items()}
        self.identities.load(state.get("identity", {}))
        self.conditions = state.get("conditions", "kept")
        self.endpoint_region = state.get("endpoint_region")
        self.slow_down, self.racing = state.get("slow_down", 0), state.get("racing", 0)

    def change(self, buckets):
        with self.writing:
            for name, objects in buckets.items():
                there = self.buckets[name]["objects"]
                there.update({key: taken(item) for key, item in objects.items() if item is not None})
                for key in [key for key, item in objects.items() if item is None]:
                    there.pop(key, None)

    def dump(self):
        with self.writing:
            buckets = {name: {**bucket, "objects": {key: shown(item) for key, item in bucket["objects"].items()}}
                       for name, bucket in self.buckets.items()}
        return {"buckets": buckets, "identity": self.identities.dump(), "conditions": self.conditions}

    def handle(self, request):
        try:
            return self.route(request)
        except Refusal as refusal:
            self.reword(refusal)
            return xml("Error", element("Code", refusal.code) + element("Message", escape(refusal.messages[0])) +
                       "".join(element(*more) for more in getattr(refusal, "elements", {}).items()),
                       refusal.status, getattr(refusal, "headers", ()))

    @staticmethod
    def reword(refusal):
        """S3's own words for what other services call otherwise."""
        if refusal.code == "InvalidClientTokenId":
            refusal.code, refusal.messages = "InvalidAccessKeyId", [
                "The AWS Access Key Id you provided does not exist in our records."]
        elif refusal.messages[0].startswith("Credential should be scoped"):
            refusal.status, refusal.code = 400, "AuthorizationHeaderMalformed"
            refusal.messages = ["The authorization header is malformed; a region is wrong; expecting "
                                f"'{refusal.region}'"]
            refusal.elements = {"Region": refusal.region}
        elif refusal.messages[0].startswith(("Signature expired", "Signature not yet current")):
            refusal.code = "RequestTimeTooSkewed"
            refusal.messages = ["The difference between the request time and the current time is too large."]

    @staticmethod
    def place(request):
        """(bucket, key): BUCKET.s3.… of the host name, else the first segment of the path."""
        host = request.header("Host", "").rsplit(":", 1)[0]
        named = re.fullmatch(r"([a-z0-9.-]+)\.(?:s3\..*|localhost)", host)
        path = urllib.parse.unquote(request.path.lstrip("/"))
        if named:
            return named[1], path
        bucket, _, key = path.partition("/")
        return bucket, key

    def route(self, request):
        name, key = self.place(request)
        bucket = self.buckets.get(name)
        home = bucket["region"] if bucket else "us-east-1"
        region = self.endpoint_region or home
        if bucket and bucket.get("public") and request.method == "GET" and not request.header("Authorization"):
            return self.get({"denied": ["s3:ListBucket"], "access_key": "anonymous"}, name, bucket, key)
        if self.slow_down > 0:
            self.slow_down -= 1
            raise Refusal(503, "SlowDown", "Please reduce your request rate.")
        try:
            signer = self.identities.authenticate(request, "s3", region)
        except Refusal as refusal:
            refusal.region = region
            raise
        digest = request.header("x-amz-content-sha256")
        if digest is None:
            raise Refusal(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(request.body).hexdigest()):
            raise Refusal(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match "
                                                            "what was computed.")
        if bucket is None:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if region != home:
            moved = Refusal(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using "
                                                      "the specified endpoint. Please send all future requests to this "
                                                      "endpoint.")
            moved.headers = [("x-amz-bucket-region", home)]
            moved.elements = {"Endpoint": f"{name}.s3.{home}.amazonaws.com", "Bucket": name}
            raise moved
        if len(key.encode()) > LONGEST_KEY:
            raise Refusal(400, "KeyTooLongError", "Your key is too long")
        return self.operate(request, signer, name, bucket, key)

    def operate(self, request, signer, name, bucket, key):
        resource = f"arn:aws:s3:::{name}/{key}"
        if not key and request.method == "GET":
            self.identities.authorize(signer, "s3:ListBucket", f"arn:aws:s3:::{name}")
            return self.list(request, name, bucket)
        action = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject",
                  "DELETE": "s3:DeleteObject"}.get(request.method)
        if action is None:
            raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        self.identities.authorize(signer, action, resource)
        with self.writing:
            if action == "s3:GetObject":
                return self.get(signer, name, bucket, key)
            if action == "s3:PutObject":
                return self.put(request, bucket, key)
            bucket["objects"].pop(key, None)
            return Reply(204)

    def get(self, signer, name, bucket, key):
        item = bucket["objects"].get(key)
        if item is None:
            # Who may not list is not told what is not there.
            self.identities.authorize(signer, "s3:ListBucket", f"arn:aws:s3:::{name}")
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        return Reply(200, item["body"], [
            ("ETag", etag(item)), ("Content-Type", item.get("content_type", "binary/octet-stream")),
            *([("Cache-Control", item["cache_control"])] if item.get("cache_control") else [])])

    def check_conditions(self, request, item):
        absent, same = request.header("If-None-Match"), request.header("If-Match")
        if self.conditions == "ignored" or (absent is None and same is None):
            return
        if self.conditions == "refused":
            raise Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if absent is not None and absent != "*":
            raise Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if self.racing > 0:
            self.racing -= 1
            raise Refusal(409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a "
                                                             "conflicting operation against this resource.")
        if same is not None and item is None:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        if (absent and item is not None) or (same and same not in ("*", etag(item))):
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

    def put(self, request, bucket, key):
        if request.header("Content-Length") is None:
            raise Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        self.check_conditions(request, bucket["objects"].get(key))
        item = {"body": request.body, "content_type": request.header("Content-Type"),
                "cache_control": request.header("Cache-Control")}
        bucket["objects"][key] = item
        return Reply(200, b"", [("ETag", etag(item))])

    def list(self, request, name, bucket):
        prefix = request.parameter("prefix", "")
        keys = [key for key in sorted(bucket["objects"]) if key.startswith(prefix)]
        contents = "".join(element("Contents", element("Key", escape(key)) +
                                   element("ETag", escape(etag(bucket["objects"][key]))) +
                                   element("Size", len(bucket["objects"][key]["body"]))) for key in keys)
        return xml("ListBucketResult", element("Name", name) + element("Prefix", escape(prefix)) +
                   element("KeyCount", len(keys)) + element("MaxKeys", 1000) + element("IsTruncated", "false") + contents)


if __name__ == "__main__":
    emulator.main(S3)
