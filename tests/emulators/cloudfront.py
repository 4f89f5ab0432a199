"""Amazon CloudFront as far as invalidations go (API 2020-05-31): CreateInvalidation and GetInvalidation, as strict as
the service: namespace, quantity, paths, repeats told by their CallerReference, limits on what is in progress;
signatures judged by botocore.

State (PUT /_emulator/state):

    {"distributions": [ID, ...], "identity": see aws_auth.Identities,
     "polls": how often an invalidation is InProgress before it is Completed, null: for ever,
     "most_files": how many paths without a wildcard may be in progress at one distribution}

The dump has "invalidations": {DISTRIBUTION: [{"id", "reference", "paths", "polls"}, ...]}, oldest first.
"""

import re
import xml.etree.ElementTree as ET

import aws_auth
import emulator
from aws_auth import Refusal, escape
from emulator import Reply

VERSION = "2020-05-31"
NAMESPACE = f"http://cloudfront.amazonaws.com/doc/{VERSION}/"
TAG = "{" + NAMESPACE + "}"
MOST_FILES, MOST_WILDCARDS, LONGEST_PATH = 3000, 15, 4000
UNSAFE = re.compile(r"[^\x21-\x7e]|[<>\"#{}|\\^~\[\]`]|%(?![0-9A-F]{2})")


def element(name, content=""):
    return f"<{name}>{content}</{name}>"


def xml(root, content, status=200, headers=()):
    body = f'<?xml version="1.0"?>\n<{root} xmlns="{NAMESPACE}">{content}</{root}>'
    return Reply(status, body.encode(), [("Content-Type", "text/xml"), *headers])


def only(parent, name):
    """The text of the one child of that name; Refusal where the schema says no."""
    found = parent.findall(TAG + name)
    if len(found) != 1:
        raise Refusal(400, "MalformedInput", f"1 validation error detected: {name} must be there once")
    return found[0]


class CloudFront(emulator.Service):
    def __init__(self, options):
        super().__init__(options)
        self.identities = aws_auth.Identities()
        self.load({})

    def load(self, state):
        self.invalidations = {name: [] for name in state.get("distributions", [])}
        self.identities.load(state.get("identity", {}))
        self.polls = state.get("polls", 1)
        self.most_files = state.get("most_files", MOST_FILES)

    def dump(self):
        return {"invalidations": self.invalidations, "identity": self.identities.dump()}

    def handle(self, request):
        try:
            return self.route(request)
        except Refusal as refusal:
            return xml("ErrorResponse", element("Error", element("Type", "Sender") + element("Code", refusal.code) +
                                                element("Message", escape(refusal.messages[0]))) +
                       element("RequestId", "r-1"), refusal.status)

    def route(self, request):
        signer = self.identities.authenticate(request, "cloudfront", "us-east-1")
        place = re.fullmatch(rf"/{VERSION}/distribution/([A-Z0-9]+)/invalidation(?:/([A-Z0-9]+))?", request.path)
        actions = {("POST", False): "CreateInvalidation", ("GET", True): "GetInvalidation"}
        action = actions.get((request.method, bool(place[2]))) if place else None
        if action is None:
            raise Refusal(404, "NoSuchResource", "The specified resource does not exist.")
        self.identities.authorize(signer, "cloudfront:" + action,
                                  f"arn:aws:cloudfront::{aws_auth.ACCOUNT}:distribution/{place[1]}")
        if place[1] not in self.invalidations:
            raise Refusal(404, "NoSuchDistribution", "The specified distribution does not exist.")
        made = self.invalidations[place[1]]
        return self.create(request, made) if action == "CreateInvalidation" else self.get(made, place[2])

    @staticmethod
    def read_batch(body):
        """(reference, paths) of an InvalidationBatch."""
        if not body:
            raise Refusal(400, "MissingBody", "This operation requires a body.")
        try:
            root = ET.fromstring(body)
        except ET.ParseError as error:
            raise Refusal(400, "MalformedXML", str(error)) from None
        if root.tag != TAG + "InvalidationBatch":
            raise Refusal(400, "MalformedInput", f"Unexpected element {root.tag}")
        listed = only(root, "Paths")
        paths = [path.text or "" for path in listed.iterfind(f"{TAG}Items/{TAG}Path")]
        if only(listed, "Quantity").text != str(len(paths)):
            raise Refusal(400, "InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
        reference = only(root, "CallerReference").text
        if not reference or not paths:
            raise Refusal(400, "InvalidArgument", "The invalidation batch needs a caller reference and a path.")
        for path in paths:
            if not path.startswith("/") or "*" in path[:-1] or len(path) > LONGEST_PATH or UNSAFE.search(path):
                raise Refusal(400, "InvalidArgument", "Your request contains one or more invalid invalidation paths.")
        return reference, paths

    @staticmethod
    def in_progress(made, wildcard):
        return sum(path.endswith("*") == wildcard for one in made if one["polls"] != 0 for path in one["paths"])

    def create(self, request, made):
        reference, paths = self.read_batch(request.body)
        same = next((one for one in made if one["reference"] == reference), None)
        if same and sorted(same["paths"]) != sorted(paths):
            raise Refusal(400, "InvalidationBatchAlreadyExists", "Your request contains a caller reference that was "
                                                                 "used for a previous invalidation batch for the same "
                                                                 "distribution.")
        if same is None:
            wildcards = sum(path.endswith("*") for path in paths)
            if self.in_progress(made, False) + len(paths) - wildcards > self.most_files or \
                    self.in_progress(made, True) + wildcards > MOST_WILDCARDS:
                raise Refusal(400, "TooManyInvalidationsInProgress",
                              "Processing your request will cause you to exceed the maximum number of in-progress "
                              "wildcard invalidations.")
            same = {"id": f"I{len(made) + 1:013d}", "reference": reference, "paths": paths, "polls": self.polls}
            made.append(same)
        location = f"https://cloudfront.amazonaws.com{request.path}/{same['id']}"
        return self.answer(same, 201, [("Location", location)])

    def get(self, made, identifier):
        one = next((one for one in made if one["id"] == identifier), None)
        if one is None:
            raise Refusal(404, "NoSuchInvalidation", "The specified invalidation does not exist.")
        if one["polls"]:
            one["polls"] -= 1
        return self.answer(one, 200)

    def answer(self, one, status, headers=()):
        paths = element("Quantity", len(one["paths"])) + \
            element("Items", "".join(element("Path", escape(path)) for path in one["paths"]))
        return xml("Invalidation", element("Id", one["id"]) +
                   element("Status", "Completed" if one["polls"] == 0 else "InProgress") +
                   element("CreateTime", aws_auth.iso(self.identities.now())) +
                   element("InvalidationBatch", element("Paths", paths) +
                           element("CallerReference", escape(one["reference"]))), status, headers)


if __name__ == "__main__":
    emulator.main(CloudFront)
