"""Signs with Debian's botocore what a test hands in: a list of requests as JSON on stdin, each with
method, url, headers, body (Latin-1), keys, region, service and date; their Authorization values as a
JSON list on stdout."""

import datetime
import json
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials


def authorization(case):
    date = datetime.datetime.strptime(case["date"], "%Y%m%dT%H%M%SZ")

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return date

    class Clock:
        datetime = Frozen

    botocore.auth.datetime = Clock
    keys = botocore.credentials.Credentials(*case["keys"])
    # botocore takes the query of a URL for canonical, so it is given what the wire means instead.
    parts = urllib.parse.urlsplit(case["url"])
    url = urllib.parse.urlunsplit(parts._replace(query=""))
    parameters = urllib.parse.parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    headers = {}
    for name, value in case["headers"]:
        headers[name] = value
    request = botocore.awsrequest.AWSRequest(
        method=case["method"], url=url, headers=headers, data=case["body"].encode("latin-1"),
        params=parameters)
    kind = botocore.auth.S3SigV4Auth if case["service"] == "s3" else botocore.auth.SigV4Auth
    kind(keys, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]


json.dump([authorization(case) for case in json.load(sys.stdin)], sys.stdout)
