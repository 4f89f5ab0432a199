"""The CloudFront emulator held against a client that nobody here wrote: boto3, AWS's own for Python."""

import unittest

import boto3
import botocore.config
import botocore.exceptions

import running

KEY = {"access_key": "AKIATEST", "secret_key": "wrong/right+secret"}
DISTRIBUTION = "E2QWRUHAPOMQZL"
PATHS = ["/.well-known/mta-sts.txt", "/mta-sts.example.com/.well-known/mta-sts.txt"]


class Boto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = running.Emulator("cloudfront.py")
        cls.addClassCleanup(cls.emulator.stop)

    def setUp(self):
        self.load()

    def load(self, **more):
        self.emulator.control("PUT", "state", {"distributions": [DISTRIBUTION], "identity": {"keys": [KEY]}} | more)

    def client(self, secret_key=KEY["secret_key"]):
        client = boto3.client("cloudfront", endpoint_url=self.emulator.url, region_name="us-east-1",
                              aws_access_key_id=KEY["access_key"], aws_secret_access_key=secret_key,
                              config=botocore.config.Config(retries={"max_attempts": 1}))
        self.addCleanup(client.close)
        return client

    def create(self, reference, paths, client=None, quantity=None, distribution=DISTRIBUTION):
        batch = {"CallerReference": reference,
                 "Paths": {"Quantity": len(paths) if quantity is None else quantity, "Items": paths}}
        answer = (client or self.client()).create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        return answer["Invalidation"]

    def refused(self, status, code, *arguments, **more):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.create(*arguments, **more)
        answer = caught.exception.response
        self.assertEqual((answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]), (status, code))

    def status(self, identifier):
        return self.client().get_invalidation(DistributionId=DISTRIBUTION, Id=identifier)["Invalidation"]["Status"]

    def test_an_invalidation_comes_to_its_end(self):
        self.load(polls=2)
        made = self.create("one", PATHS)
        self.assertEqual((made["Status"], made["InvalidationBatch"]["Paths"]["Items"]), ("InProgress", PATHS))
        self.assertEqual([self.status(made["Id"]) for _ in range(3)], ["InProgress", "Completed", "Completed"])
        self.load(polls=0)
        self.assertEqual(self.create("one", PATHS)["Status"], "Completed")

    def test_a_repeat_is_told_by_its_reference(self):
        first = self.create("one", PATHS)
        self.assertEqual(self.create("one", PATHS)["Id"], first["Id"])
        self.assertNotEqual(self.create("two", PATHS)["Id"], first["Id"])
        self.refused(400, "InvalidationBatchAlreadyExists", "one", PATHS[:1])

    def test_what_is_in_progress_is_limited(self):
        self.load(most_files=3)
        first = self.create("one", PATHS)
        self.refused(400, "TooManyInvalidationsInProgress", "two", PATHS)
        self.create("wildcards", ["/a*"] * 15)
        self.refused(400, "TooManyInvalidationsInProgress", "more", ["/a*"])
        self.assertEqual(self.status(first["Id"]), "Completed")
        self.create("two", PATHS)

    def test_what_is_malformed(self):
        self.refused(400, "InconsistentQuantities", "one", PATHS, quantity=3)
        for bad in ("a", "/a*b", "/" + "a" * 4000, "/a b", "/ü", "/~a", "/%zz"):
            self.refused(400, "InvalidArgument", "one", [bad])
        self.create("one", ["/a%20b/!$&'()+,;=:@"])

    def test_who_asks_and_what_for(self):
        self.refused(403, "SignatureDoesNotMatch", "one", PATHS, client=self.client("other"))
        self.refused(404, "NoSuchDistribution", "one", PATHS, distribution="EOTHER")
        with self.assertRaises(self.client().exceptions.NoSuchInvalidation):
            self.status("INONE")
        self.load(identity={"keys": [KEY | {"denied": ["cloudfront:CreateInvalidation"]}]})
        self.refused(403, "AccessDenied", "one", PATHS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
