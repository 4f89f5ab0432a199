"""Amazon Route 53 as stsctl's tests need it, as strict as the service: list zones and record sets in its
order and pages, change batches, PENDING and INSYNC, signatures, permissions, limits. On the same port the
token service (POST /) and the metadata services of instances (/latest/) and containers (/container).

State (PUT /_emulator/state): {"zones": [see route53_zone.Zone], "identity": see aws_auth.Identities,
"polls": how often a change is PENDING before it is INSYNC, "limit": {"capacity", "refill"} of requests, or
null, "old_errors": true for the older XML of refused batches}.
"""

import itertools
import re
import time
import xml.etree.ElementTree as ET

import aws_auth
import emulator
from aws_auth import Refusal, escape
from emulator import Reply
from route53_zone import TYPES, BadBatch, Zone, normal_name, order, place

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
TAG = "{" + NAMESPACE + "}"
SET_ELEMENTS = ["Name", "Type", "SetIdentifier", "Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer",
                "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId", "TrafficPolicyInstanceId",
                "CidrRoutingConfig"]
ROUTING = ["Weight", "Region", "Failover", "MultiValueAnswer"]
LARGEST_TTL = 2147483647


class Bucket:
    """Tokens that are refilled all the time: how the service limits requests."""

    def __init__(self, capacity, refill):
        self.capacity, self.refill, self.tokens, self.at = capacity, refill, capacity, time.monotonic()

    def take(self):
        now = time.monotonic()
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.refill)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def element(name, content=""):
    return f"<{name}>{content}</{name}>"


def answer(root, content, status=200):
    body = f'<?xml version="1.0"?>\n<{root} xmlns="{NAMESPACE}">{content}</{root}>'
    return Reply(status, body.encode(), [("Content-Type", "text/xml")])


def set_xml(record):
    parts = [element("Name", record["name"]), element("Type", record["type"])]
    if record.get("identifier"):
        parts.append(element("SetIdentifier", escape(record["identifier"])))
    parts += [element(name, escape(str(value))) for name, value in record.get("routing", {}).items()]
    if "ttl" in record:
        parts.append(element("TTL", record["ttl"]))
    if record.get("values"):
        parts.append(element("ResourceRecords", "".join(
            element("ResourceRecord", element("Value", escape(value))) for value in record["values"])))
    if "alias" in record:
        target = {"HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": "false"} | record["alias"]
        parts.append(element("AliasTarget", "".join(
            element(name, escape(str(target[name]))) for name in ("HostedZoneId", "DNSName", "EvaluateTargetHealth"))))
    if "traffic_policy" in record:
        parts.append(element("TrafficPolicyInstanceId", record["traffic_policy"]))
    return element("ResourceRecordSet", "".join(parts))


def zone_xml(zone):
    service = element("LinkedService", element("ServicePrincipal", zone.service)) if zone.service else ""
    return element("HostedZone", element("Id", "/hostedzone/" + zone.id) + element("Name", zone.name) +
                   element("CallerReference", zone.id) +
                   element("Config", element("PrivateZone", str(zone.private).lower())) +
                   element("ResourceRecordSetCount", len(zone.records)) + service)


def read_set(node):
    """A ResourceRecordSet of a request; Refusal where the schema says no."""
    names = [child.tag.removeprefix(TAG) for child in node]
    if names != sorted(names, key=lambda n: SET_ELEMENTS.index(n) if n in SET_ELEMENTS else -1) or \
            len(set(names)) != len(names):
        raise Refusal(400, "MalformedInput", f"Unexpected complex element termination: {names}")
    text = {name: node.findtext(TAG + name) or "" for name in names}
    record = {"name": text.get("Name", ""), "type": text.get("Type", "")}
    if not record["name"] or record["type"] not in TYPES:
        raise Refusal(400, "InvalidInput", "Invalid XML ; a resource record set needs a Name and a known Type")
    if text.get("SetIdentifier"):
        record["identifier"] = text["SetIdentifier"]
    routing = {name: text[name] for name in ROUTING if name in text}
    if routing:
        record["routing"] = routing
    if "AliasTarget" in text:
        target = node.find(TAG + "AliasTarget")
        record["alias"] = {child.tag.removeprefix(TAG): child.text for child in target}
        return record
    if not re.fullmatch(r"\d+", text.get("TTL", "")) or int(text["TTL"]) > LARGEST_TTL:
        raise Refusal(400, "InvalidInput", "Invalid XML ; TTL must be between 0 and 2147483647")
    record["ttl"] = int(text["TTL"])
    record["values"] = [value.text or "" for value in node.iterfind(
        f"{TAG}ResourceRecords/{TAG}ResourceRecord/{TAG}Value")]
    if not record["values"]:
        raise Refusal(400, "InvalidInput", "Invalid request: Expected at least one ResourceRecord")
    return record


class Route53(emulator.Service):
    def __init__(self, options):
        super().__init__(options)
        self.identities = aws_auth.Identities()
        self.load({})

    def load(self, state):
        self.zones = {zone["id"]: Zone(zone) for zone in state.get("zones", [])}
        self.by_name = sorted(self.zones.values(), key=lambda zone: (order(zone.name), zone.id))
        self.identities.load(state.get("identity", {}))
        self.polls, self.old_errors = state.get("polls", 1), state.get("old_errors", False)
        self.bucket = Bucket(**state["limit"]) if state.get("limit") else None
        self.changes, self.numbers, self.throttled = {}, itertools.count(1), 0

    def dump(self):
        return {"zones": [zone.dump() for zone in self.by_name], "identity": self.identities.dump(),
                "throttled": self.throttled, "changes": len(self.changes)}

    def handle(self, request):
        reply = self.route(request)
        if not any(name.lower() == "date" for name, _ in reply.headers):
            stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.identities.now()))
            reply.headers.append(("Date", stamp))
        return reply

    def route(self, request):
        try:
            if request.path.startswith("/latest/"):
                return self.identities.metadata(request)
            if request.path.startswith("/container"):
                return self.identities.containers(request)
            if request.path == "/" and request.method == "POST":
                return self.identities.assume(request)
            return self.api(request)
        except Refusal as refusal:
            return self.refuse(request, refusal)

    def refuse(self, request, refusal):
        if self.old_errors and refusal.code == "InvalidChangeBatch":
            messages = "".join(element("Message", escape(m)) for m in refusal.messages)
            return answer("InvalidChangeBatch", element("Messages", messages) + element("RequestId", "r-1"),
                          refusal.status)
        message = f"[{', '.join(refusal.messages)}]" if refusal.code == "InvalidChangeBatch" else refusal.messages[0]
        return answer("ErrorResponse", element("Error", element("Type", "Sender") + element("Code", refusal.code) +
                                               element("Message", escape(message))) + element("RequestId", "r-1"),
                      refusal.status)

    def api(self, request):
        key = self.identities.authenticate(request, "route53", "us-east-1")
        if self.bucket and not self.bucket.take():
            self.throttled += 1
            raise Refusal(400, "Throttling", "Rate exceeded")
        path = request.path.removeprefix("/2013-04-01").rstrip("/")
        zone = re.fullmatch(r"/hostedzone/([A-Z0-9]+)(/rrset)?", path)
        change = re.fullmatch(r"/change/([A-Z0-9]+)", path)
        if request.method == "GET" and path == "/hostedzonesbyname":
            self.identities.authorize(key, "route53:ListHostedZonesByName", "*")
            return self.list_by_name(request)
        if request.method == "GET" and path == "/hostedzone":
            self.identities.authorize(key, "route53:ListHostedZones", "*")
            return self.list_zones(request)
        if request.method == "GET" and change:
            self.identities.authorize(key, "route53:GetChange", "arn:aws:route53:::change/" + change[1])
            return self.get_change(change[1])
        if zone and (request.method, zone[2]) in (("GET", None), ("GET", "/rrset"), ("POST", "/rrset")):
            action = {("GET", None): "GetHostedZone", ("GET", "/rrset"): "ListResourceRecordSets",
                      ("POST", "/rrset"): "ChangeResourceRecordSets"}[request.method, zone[2]]
            self.identities.authorize(key, "route53:" + action, "arn:aws:route53:::hostedzone/" + zone[1])
            if zone[1] not in self.zones:
                raise Refusal(404, "NoSuchHostedZone", f"No hosted zone found with ID: {zone[1]}")
            return {"GetHostedZone": self.get_zone, "ListResourceRecordSets": self.list_records,
                    "ChangeResourceRecordSets": self.change_records}[action](self.zones[zone[1]], request)
        raise Refusal(404, "UnknownOperationException", "")

    @staticmethod
    def page_size(request, most):
        text = request.parameter("maxitems", str(most))
        if not re.fullmatch(r"[1-9]\d*", text):
            raise Refusal(400, "InvalidInput", f"maxitems {text} is not valid")
        return min(int(text), most)

    def list_by_name(self, request):
        name, identifier = request.parameter("dnsname", ""), request.parameter("hostedzoneid", "")
        if identifier and not name:
            raise Refusal(400, "InvalidInput", "A hosted zone ID needs a DNS name")
        begin = (order(normal_name(name)) if name else "", identifier)
        zones = [zone for zone in self.by_name if (order(zone.name), zone.id) >= begin]
        size = self.page_size(request, 100)
        rest = element("IsTruncated", "false")
        if len(zones) > size:
            rest = (element("IsTruncated", "true") + element("NextDNSName", zones[size].name) +
                    element("NextHostedZoneId", zones[size].id))
        return answer("ListHostedZonesByNameResponse",
                      element("HostedZones", "".join(map(zone_xml, zones[:size]))) + rest + element("MaxItems", size))

    def list_zones(self, request):
        zones = sorted(self.zones.values(), key=lambda zone: zone.id)
        zones = [zone for zone in zones if zone.id >= request.parameter("marker", "")]
        size = self.page_size(request, 100)
        rest = element("IsTruncated", "false")
        if len(zones) > size:
            rest = element("IsTruncated", "true") + element("NextMarker", zones[size].id)
        return answer("ListHostedZonesResponse",
                      element("HostedZones", "".join(map(zone_xml, zones[:size]))) + rest + element("MaxItems", size))

    def get_zone(self, zone, request):
        servers = "".join(element("NameServer", name) for name in zone.records[order(zone.name), "NS", ""]["values"])
        return answer("GetHostedZoneResponse",
                      zone_xml(zone) + element("DelegationSet", element("NameServers", servers)))

    def list_records(self, zone, request):
        name, kind = request.parameter("name", ""), request.parameter("type", "")
        if kind and not name:
            raise Refusal(400, "InvalidInput", "A type needs a name")
        begin = (order(normal_name(name)) if name else "", kind, request.parameter("identifier", ""))
        records = [record for record in zone.listing() if place(record) >= begin]
        size = self.page_size(request, 300)
        rest = element("IsTruncated", "false")
        if len(records) > size:
            after = records[size]
            rest = (element("IsTruncated", "true") + element("NextRecordName", after["name"]) +
                    element("NextRecordType", after["type"]))
            if after.get("identifier"):
                rest += element("NextRecordIdentifier", escape(after["identifier"]))
        return answer("ListResourceRecordSetsResponse", element("ResourceRecordSets", "".join(
            map(set_xml, records[:size]))) + rest + element("MaxItems", size))

    def change_records(self, zone, request):
        if zone.busy > 0:
            zone.busy -= 1
            raise Refusal(400, "PriorRequestNotComplete",
                          "The request was rejected because Route 53 was still processing a prior request.")
        try:
            root = ET.fromstring(request.body)
        except ET.ParseError as error:
            raise Refusal(400, "MalformedInput", str(error)) from None
        if root.tag != TAG + "ChangeResourceRecordSetsRequest":
            raise Refusal(400, "MalformedInput", f"Unexpected element {root.tag}")
        changes = []
        for node in root.iterfind(f"{TAG}ChangeBatch/{TAG}Changes/{TAG}Change"):
            action, inner = node.findtext(TAG + "Action"), node.find(TAG + "ResourceRecordSet")
            if action not in ("CREATE", "DELETE", "UPSERT") or inner is None:
                raise Refusal(400, "InvalidInput", "Invalid XML ; Action must be CREATE, DELETE or UPSERT")
            changes.append((action, read_set(inner)))
        if not changes:
            raise Refusal(400, "InvalidInput", "Invalid request: Expected at least one Change")
        try:
            zone.change(changes)
        except BadBatch as bad:
            refusal = Refusal(400, "InvalidChangeBatch", "")
            refusal.messages = bad.messages
            raise refusal from None
        identifier = f"C{next(self.numbers):010d}"
        self.changes[identifier] = {"polls": self.polls, "at": aws_auth.iso(self.identities.now())}
        return self.change_answer("ChangeResourceRecordSetsResponse", identifier, "PENDING")

    def get_change(self, identifier):
        change = self.changes.get(identifier)
        if change is None:
            raise Refusal(404, "NoSuchChange", f"A change with the specified change ID does not exist: {identifier}")
        change["polls"] -= 1
        return self.change_answer("GetChangeResponse", identifier, "INSYNC" if change["polls"] < 0 else "PENDING")

    def change_answer(self, root, identifier, status):
        return answer(root, element("ChangeInfo", element("Id", "/change/" + identifier) + element("Status", status) +
                                    element("SubmittedAt", self.changes[identifier]["at"])))


if __name__ == "__main__":
    emulator.main(Route53, __doc__)
