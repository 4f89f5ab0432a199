"""The S3 emulator held against a client that nobody here wrote: boto3, AWS's own for Python."""

import contextlib
import hashlib
import unittest

import boto3
import botocore.config
import botocore.exceptions

import running

KEY = {"access_key": "AKIATEST", "secret_key": "wrong/right+secret"}
TEXT = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n".encode()
PLACE = {"Bucket": "policies", "Key": "mta-sts.exämple.com/.well-known/mta-sts a+b.txt"}


class Boto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = running.Emulator("s3.py")
        cls.addClassCleanup(cls.emulator.stop)

    def setUp(self):
        self.load()

    def load(self, **more):
        self.emulator.control("PUT", "state", {"buckets": {"policies": {}, "eu": {"region": "eu-central-1"}},
                                               "identity": {"keys": [KEY]}} | more)

    def client(self, access_key=KEY["access_key"], secret_key=KEY["secret_key"], headers=None):
        client = boto3.client("s3", endpoint_url=self.emulator.url, region_name="us-east-1",
                              aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                              config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))

        self.addCleanup(client.close)

        def add(request, **_):
            for name, value in (headers or {}).items():
                request.headers.add_header(name, value)
        client.meta.events.register("before-sign.s3.PutObject", add)
        return client

    def refused(self, call, status, code, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual((answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]), (status, code))

    def test_an_object_comes_and_goes(self):
        client = self.client()
        put = client.put_object(**PLACE, Body=TEXT, ContentType="text/plain", CacheControl="max-age=300")
        got = client.get_object(**PLACE)
        self.assertEqual((got["Body"].read(), got["ContentType"], got["CacheControl"], got["ETag"]),
                         (TEXT, "text/plain", "max-age=300", put["ETag"]))
        self.assertEqual([one["Key"] for one in client.list_objects_v2(Bucket="policies")["Contents"]], [PLACE["Key"]])
        client.delete_object(**PLACE)
        client.delete_object(**PLACE)
        self.refused(client.get_object, 404, "NoSuchKey", **PLACE)

    def test_who_asks(self):
        self.refused(self.client(secret_key="other").get_object, 403, "SignatureDoesNotMatch", **PLACE)
        self.refused(self.client(access_key="AKIAOTHER").get_object, 403, "InvalidAccessKeyId", **PLACE)
        self.load(identity={"keys": [KEY | {"denied": ["s3:PutObject", "s3:ListBucket"]}]})
        self.refused(self.client().put_object, 403, "AccessDenied", **PLACE, Body=TEXT)
        self.refused(self.client().get_object, 403, "AccessDenied", **PLACE)
        self.load(identity={"keys": [KEY], "clock_offset": 3600})
        self.refused(self.client().get_object, 403, "RequestTimeTooSkewed", **PLACE)

    def test_where(self):
        self.refused(self.client().get_object, 404, "NoSuchBucket", Bucket="other", Key="a")
        # boto3 takes the region from the answer and goes on.
        self.assertEqual(self.regions_tried(), [(400, "us-east-1"), (200, "eu-central-1")])
        self.load(endpoint_region="us-east-1")
        self.assertEqual(self.regions_tried(), [(301, "us-east-1"), (400, "eu-central-1")])
        self.client().put_object(**PLACE, Body=TEXT)

    def regions_tried(self):
        """How boto3 puts into a bucket that is elsewhere: the answers, and the regions that it signed for."""
        self.emulator.control("DELETE", "journal")
        with contextlib.suppress(botocore.exceptions.ClientError):
            self.client().put_object(Bucket="eu", Key="a", Body=b"")
        return [(one["status"], dict(one["headers"])["Authorization"].split("/")[2])
                for one in self.emulator.control("GET", "journal")["requests"]]

    def test_everybody_may_get_what_is_public(self):
        self.load(buckets={"policies": {"public": True}})
        self.client().put_object(**PLACE, Body=TEXT)
        anonymous = boto3.client("s3", endpoint_url=self.emulator.url, region_name="us-east-1",
                                 config=botocore.config.Config(signature_version=botocore.UNSIGNED))
        self.addCleanup(anonymous.close)
        self.assertEqual(anonymous.get_object(**PLACE)["Body"].read(), TEXT)
        self.refused(anonymous.get_object, 403, "AccessDenied", Bucket="policies", Key="none")
        self.refused(anonymous.put_object, 403, "MissingAuthenticationToken", **PLACE, Body=TEXT)

    def test_busy(self):
        self.load(slow_down=2)
        for _ in range(2):
            self.refused(self.client().put_object, 503, "SlowDown", **PLACE, Body=TEXT)
        self.client().put_object(**PLACE, Body=TEXT)
        self.load(racing=1)
        self.client().put_object(**PLACE, Body=TEXT)
        new = self.client(headers={"If-Match": f'"{hashlib.md5(TEXT).hexdigest()}"'})
        self.refused(new.put_object, 409, "ConditionalRequestConflict", **PLACE, Body=b"new")
        new.put_object(**PLACE, Body=b"new")

    def test_conditions(self):
        first = self.client(headers={"If-None-Match": "*"}).put_object(**PLACE, Body=TEXT)
        self.refused(self.client(headers={"If-None-Match": "*"}).put_object, 412, "PreconditionFailed", **PLACE, Body=b"")
        self.refused(self.client(headers={"If-Match": '"other"'}).put_object, 412, "PreconditionFailed", **PLACE, Body=b"")
        self.client(headers={"If-Match": first["ETag"]}).put_object(**PLACE, Body=b"new")
        self.assertEqual(self.client().get_object(**PLACE)["Body"].read(), b"new")
        self.refused(self.client(headers={"If-Match": '"a"'}).put_object, 404, "NoSuchKey", Bucket="policies", Key="no",
                     Body=b"")
        self.load(conditions="refused")
        self.refused(self.client(headers={"If-None-Match": "*"}).put_object, 501, "NotImplemented", **PLACE, Body=b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
