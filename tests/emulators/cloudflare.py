"""Cloudflare's API, version 4, as far as zones, DNS records, Workers and API tokens go; strict as the service is.

It is stricter in one thing: a query parameter that it does not know is refused, where the service passes over it.
State (PUT /_emulator/state), all but `zones` optional:

    {"accounts": [{"id", "name"}],
     "tokens": [{"value", "permissions": ["zone:read", "dns:read", "dns:edit", "workers:read", "workers:edit"],
                 "zones": [NAME, ...], "status", "expires_on", "account"}],
                                                           zones: left out, all; account: it belongs to that account
     "users": [{"email", "key"}],
     "zones": [{"name", "account", "status", "type", "plan", "records": [{"type", "name", "content", ...}]}],
     "filters": "known" | "ignored" | "refused",           what it makes of name.*, content.* and match
     "largest_page": 5000000,                              of records; a larger per_page is lowered
     "duplicate_code": 81058 | 81057,
     "workers": [{"account", "name", "script"}], "custom_domains": [{"account", "hostname", "service"}],
     "domains_a_zone": 100}

Two zones may have one name, in different accounts. What is shown has ids, and of each zone the number of `changes`;
both are kept when it is laid out again.
"""

import copy
import hashlib
import json
import re
import time
import uuid

import cloudflare_records as records
import cloudflare_workers
import emulator
from cloudflare_records import Refused

BASE = "/client/v4"
NO_ACCOUNT = {"id": hashlib.md5(b"account").hexdigest(), "name": "Example"}
PERMISSIONS = ["zone:read", "dns:read", "dns:edit", "workers:read", "workers:edit"]
BATCH_LIMIT = {"free": 200, "pro": 3500, "business": 3500, "enterprise": 3500}
PAGING = {"page", "per_page", "order", "direction"}
ZONE_FILTERS = {"name", "status", "account.id", "account.name", "match"}
TEXT_TESTS = {"exact": str.__eq__, "contains": str.__contains__, "startswith": str.startswith,
              "endswith": str.endswith}
RECORD_FILTERS = {"type", "name", "content", "proxied", "match", "search", "tag_match", "include_shadow_metadata"} | {
    f"{field}.{test}" for field in ("name", "content", "comment") for test in TEXT_TESTS} | {
    "comment.absent", "comment.present"}


def fresh_id(*parts):
    return hashlib.md5(repr(parts).encode()).hexdigest()


class Limits:
    """At most so many requests of one credential in any window; who asks for more is locked out for a window."""

    def __init__(self, text):
        self.rates = []
        for rate in filter(None, text.split(",")):
            count, seconds = rate.split("/")
            self.rates.append((int(count), float(seconds)))
        self.starts, self.locked = {}, {}

    def admit(self, who, now):
        """(seconds to stay away or 0, header fields)."""
        starts = self.starts.setdefault(who, [])
        wait = self.locked.get(who, 0) - now
        if wait <= 0:
            for count, seconds in self.rates:
                if sum(1 for start in starts if start > now - seconds) >= count:
                    wait = seconds
                    self.locked[who] = now + seconds
            if wait <= 0:
                starts.append(now)
        longest = max((seconds for _, seconds in self.rates), default=0)
        while starts and starts[0] <= now - longest:
            starts.pop(0)
        if not self.rates:
            return 0, []
        count, seconds = max(self.rates, key=lambda rate: rate[1])
        left = 0 if wait > 0 else count - len(starts)
        reset = wait if wait > 0 else starts[0] + seconds - now
        return max(wait, 0), [("Ratelimit", f'"default";r={left};t={int(reset) + 1}'),
                              ("Ratelimit-Policy", f'"default";q={count};w={seconds:g}')]


class Cloudflare(emulator.Service):
    @staticmethod
    def add_options(parser):
        parser.add_argument("--rates", default="", help="enforce, as 1200/300,200/1: requests/seconds")

    def __init__(self, options):
        super().__init__(options)
        self.limits = Limits(options.rates)
        self.load({"zones": []})

    # State

    def load(self, state):
        self.accounts = state.get("accounts", [NO_ACCOUNT])
        self.tokens = [{"permissions": PERMISSIONS, "status": "active", **token} for token in state.get("tokens", [])]
        self.users = state.get("users", [])
        self.filters = state.get("filters", "known")
        self.largest_page = state.get("largest_page", 5_000_000)
        self.duplicate_code = state.get("duplicate_code", 81058)
        self.zones = {}
        brought = {domain.get("id") for domain in state.get("custom_domains", [])}  # with records of their own
        for given in state["zones"]:
            zone = {"status": "active", "type": "full", "plan": "free", "account": self.accounts[0]["id"],
                    **given, "records": {}}
            zone["id"] = fresh_id("zone", zone["name"], zone["account"])
            self.zones[zone["id"]] = zone
            for record in given.get("records", []):
                if record.get("meta", {}).get("origin_worker_id", "") not in brought:
                    self.create(zone, record, record.get("id"))
        self.workers = cloudflare_workers.Workers(self, state)
        for given, zone in zip(state["zones"], self.zones.values()):
            zone["changes"] = given.get("changes", 0)

    def dump(self):
        zones = [{**zone, "records": list(zone["records"].values())} for zone in self.zones.values()]
        return {"accounts": self.accounts, "tokens": self.tokens, "users": self.users, "zones": zones,
                "filters": self.filters, "largest_page": self.largest_page, "duplicate_code": self.duplicate_code,
                **self.workers.dump()}

    # Records

    def create(self, zone, given, identifier=None):
        record = records.build(given, zone["name"], zone["plan"])
        records.check_beside(record, zone["records"].values(), self.duplicate_code)
        record = {"id": identifier or uuid.uuid4().hex, **record, **self.dates()}
        zone["records"][record["id"]] = record
        zone["changes"] = zone.get("changes", 0) + 1
        return record

    def change(self, zone, identifier, given, whole):
        old = self.record(zone, identifier)
        self.check_free(old)
        if given.get("type", old["type"]) != old["type"]:
            raise records.invalid(9003, "The type of a record cannot change.")
        kept = {"meta": old["meta"]} if whole else {key: old[key] for key in records.FIELDS & set(old)}
        record = records.build({**kept, "meta": old["meta"], **given}, zone["name"], zone["plan"])
        others = [other for other in zone["records"].values() if other["id"] != identifier]
        records.check_beside(record, others, self.duplicate_code)
        zone["records"][identifier] = {"id": identifier, **record, **self.dates(), "created_on": old["created_on"]}
        zone["changes"] += 1
        return zone["records"][identifier]

    def delete(self, zone, identifier):
        record = self.record(zone, identifier)
        self.check_free(record)
        zone["changes"] += 1
        return zone["records"].pop(identifier)

    @staticmethod
    def record(zone, identifier):
        if identifier not in zone["records"]:
            raise Refused(81044, "Record does not exist.", status=404)
        return zone["records"][identifier]

    @staticmethod
    def check_free(record):
        if record["meta"].get("read_only"):
            raise Refused(1043, "This record is managed by another product and read only.")

    @staticmethod
    def dates():
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        return {"created_on": now, "modified_on": now}

    def batch(self, zone, body):
        lists = {"deletes": lambda one: self.delete(zone, one["id"]),
                 "patches": lambda one: self.change(zone, one["id"], one, whole=False),
                 "puts": lambda one: self.change(zone, one["id"], one, whole=True),
                 "posts": lambda one: self.create(zone, one)}
        if not set(body) <= set(lists) or not any(body.values()):
            raise Refused(9207, "Request body is invalid.")
        count = sum(len(body.get(key) or []) for key in lists)
        if count > BATCH_LIMIT[zone["plan"]]:
            raise Refused(9207, f"A batch of {count} operations is over the limit of {BATCH_LIMIT[zone['plan']]}.")
        before = copy.deepcopy(zone["records"]), zone["changes"]
        try:
            return {key: [work(one) for one in body.get(key) or []] for key, work in lists.items()}
        except (Refused, KeyError, TypeError) as error:
            zone["records"], zone["changes"] = before
            raise error if isinstance(error, Refused) else Refused(9207, "Request body is invalid.") from None

    # Who asks

    def actor(self, request):
        authorization = request.header("Authorization")
        if authorization is not None:
            token = re.fullmatch(r"Bearer ([A-Za-z0-9_-]{20,})", authorization)
            if not token:
                raise Refused(6003, "Invalid request headers", [(6111, "Invalid format for Authorization header")])
            found = next((t for t in self.tokens if t["value"] == token[1]), None)
            return found or {"value": token[1], "status": "unknown", "permissions": []}
        email, key = request.header("X-Auth-Email"), request.header("X-Auth-Key")
        if not email or not key:
            raise Refused(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if {"email": email, "key": key} not in self.users:
            raise Refused(9103, "Unknown X-Auth-Key or X-Auth-Email", status=403)
        return {"value": key, "status": "active", "permissions": PERMISSIONS}

    def verify(self, actor, account=None):
        if actor["status"] == "unknown" or actor.get("account") != account:
            raise Refused(1000, "Invalid API Token", status=401)
        state = {"id": fresh_id("token", actor["value"]), "status": actor["status"]}
        return {**state, **{key: actor[key] for key in ("expires_on", "not_before") if key in actor}}

    @staticmethod
    def sees(actor, zone):
        return "zones" not in actor or zone["name"] in actor["zones"]

    def zone(self, actor, identifier, permission):
        if identifier not in self.zones:
            raise Refused(7003, f"Could not route to /zones/{identifier}, perhaps your object identifier is invalid?",
                          status=404)
        zone = self.zones[identifier]
        if not self.sees(actor, zone) or permission not in actor["permissions"]:
            raise Refused(10000, "Authentication error", status=403)
        return zone

    # Lists

    def shown_zone(self, actor, zone):
        account = next(a for a in self.accounts if a["id"] == zone["account"])
        names = {"dns:edit": "#dns_records:edit", "dns:read": "#dns_records:read", "zone:read": "#zone:read"}
        return {"id": zone["id"], "name": zone["name"], "status": zone["status"], "paused": False,
                "type": zone["type"], "development_mode": 0, "account": account,
                "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
                "permissions": [names[p] for p in actor["permissions"] if p in names],
                "plan": {"id": fresh_id(zone["plan"]), "name": zone["plan"].title(), "legacy_id": zone["plan"]}}

    @staticmethod
    def number(request, name, default, least, most):
        text = request.parameter(name, str(default))
        if not text.isdigit() or not least <= int(text) <= most:
            raise Refused(9207, f"Invalid {name}: {text}.")
        return int(text)

    def paged(self, request, items, default, most, largest):
        page = self.number(request, "page", 1, 1, 10**9)
        per_page = min(self.number(request, "per_page", default, 5, most), largest)
        part = items[(page - 1) * per_page:page * per_page]
        return part, {"page": page, "per_page": per_page, "count": len(part), "total_count": len(items),
                      "total_pages": max(1, -(-len(items) // per_page))}

    @staticmethod
    def check_parameters(request, known):
        unknown = {name for name, _ in request.parameters()} - known
        if unknown:
            raise Refused(9207, f"Unknown parameters: {', '.join(sorted(unknown))}.")

    def list_zones(self, request, actor):
        self.check_parameters(request, ZONE_FILTERS | PAGING)
        if "zone:read" not in actor["permissions"]:
            raise Refused(9109, "Unauthorized to access requested resource", status=403)
        found = [self.shown_zone(actor, zone) for zone in self.zones.values() if self.sees(actor, zone)]
        for name, value in request.parameters():
            if name in ("name", "status"):
                found = [zone for zone in found if zone[name] == value]
            if name in ("account.id", "account.name"):
                found = [zone for zone in found if zone["account"][name.removeprefix("account.")] == value]
        found.sort(key=lambda zone: zone["name"])
        return self.paged(request, found, 20, 50, 50)

    def list_records(self, request, zone):
        self.check_parameters(request, RECORD_FILTERS | PAGING)
        tests = [self.test(name, value) for name, value in request.parameters()
                 if name in RECORD_FILTERS - {"match", "tag_match", "include_shadow_metadata"}]
        if self.filters == "refused" and any("." in name for name, _ in request.parameters()):
            raise Refused(9207, "Unknown parameters.")
        join = any if request.parameter("match") == "any" else all
        found = [record for record in zone["records"].values()
                 if not tests or self.filters == "ignored" or join(test(record) for test in tests)]
        found.sort(key=lambda record: record["name"])
        return self.paged(request, found, 100, 5_000_000, self.largest_page)

    @staticmethod
    def test(name, value):
        field, _, test = name.partition(".")
        value = value.lower()
        if field == "search":
            return lambda record: value in record["name"] or value in record["content"].lower()
        if test in ("absent", "present"):
            return lambda record: bool(record["comment"]) == (test == "present")
        compare = TEXT_TESTS[test or "exact"]
        return lambda record: compare(str(record[field] or "").lower(), value)

    # Routes

    def route(self, request, actor):
        """(status, result, result_info) of one call."""
        path, method = request.path.removeprefix(BASE), request.method
        if method == "GET" and path == "/user/tokens/verify":
            return self.verify(actor), None
        if method == "GET" and (owner := re.fullmatch(r"/accounts/([0-9a-f]{32})/tokens/verify", path)):
            return self.verify(actor, owner[1]), None
        if actor["status"] != "active":
            raise Refused(9109, "Invalid access token", status=403)
        if method == "GET" and path == "/zones":
            return self.list_zones(request, actor)
        if workers := re.fullmatch(r"/accounts/([0-9a-f]{32})/workers/(.+)", path):
            return self.worker_call(request, actor, *workers.groups()), None
        parts = re.fullmatch(r"/zones/([0-9a-f]{32})(/dns_records(/batch|/[0-9a-f]{32})?)?", path)
        if not parts or request.path == path:
            raise Refused(7000, "No route for that URI", status=404)
        if not parts[2]:
            if method != "GET":
                raise Refused(10405, "Method not allowed for this authentication scheme", status=405)
            return self.shown_zone(actor, self.zone(actor, parts[1], "zone:read")), None
        zone = self.zone(actor, parts[1], "dns:read" if method == "GET" else "dns:edit")
        return self.record_call(request, zone, method, (parts[3] or "").removeprefix("/"))

    def worker_call(self, request, actor, account, rest):
        allowed = {"workers:edit"} | ({"workers:read"} if request.method == "GET" else set())
        if account not in [a["id"] for a in self.accounts] or not allowed & set(actor["permissions"]):
            raise Refused(10000, "Authentication error", status=403)
        return self.workers.route(request, account, rest)

    def record_call(self, request, zone, method, identifier):
        body = request.json() if method in ("POST", "PUT", "PATCH") else {}
        if not isinstance(body, dict):
            raise Refused(9207, "Request body is invalid.")
        if (method, identifier) == ("GET", ""):
            return self.list_records(request, zone)
        if (method, identifier) == ("POST", ""):
            return self.create(zone, body), None
        if (method, identifier) == ("POST", "batch"):
            return self.batch(zone, body), None
        if method == "GET":
            return self.record(zone, identifier), None
        if method in ("PUT", "PATCH"):
            return self.change(zone, identifier, body, whole=method == "PUT"), None
        if method == "DELETE":
            return {"id": self.delete(zone, identifier)["id"]}, None
        raise Refused(10405, "Method not allowed for this authentication scheme", status=405)

    def handle(self, request):
        who = request.header("Authorization") or request.header("X-Auth-Key") or ""
        wait, fields = self.limits.admit(who, time.monotonic())
        if wait:
            errors = [{"code": 10100, "message": "More requests than the limit allows reached"}]
            return self.answer(429, errors, fields=[*fields, ("Retry-After", str(int(wait) + 1))])
        try:
            result, info = self.route(request, self.actor(request))
            if isinstance(result, emulator.Reply):
                return result
            return self.answer(200, [], result, info, fields)
        except Refused as refused:
            return self.answer(refused.status, refused.errors, fields=fields)
        except (ValueError, UnicodeError):
            return self.answer(400, [{"code": 9207, "message": "Request body is invalid."}], fields=fields)

    @staticmethod
    def answer(status, errors, result=None, info=None, fields=()):
        body = {"result": result, "success": not errors, "errors": errors, "messages": []}
        if info:
            body["result_info"] = info
        return emulator.Reply(status, json.dumps(body).encode(), [("Content-Type", "application/json"), *fields])


if __name__ == "__main__":
    emulator.main(Cloudflare, __doc__)
