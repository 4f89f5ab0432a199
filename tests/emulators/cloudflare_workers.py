"""Workers at Cloudflare: uploads as multipart/form-data, scripts as they come back, Custom Domains with their records.
Knows the accounts and zones of cloudflare.py, and no HTTP beyond a request's head and body."""

import email.parser
import email.policy
import hashlib
import json
import re
import time
import uuid

import emulator
from cloudflare_records import Refused

MODULE_TYPES = {"application/javascript+module", "text/javascript+module"}
SCRIPT_TYPES = {"application/javascript", "text/javascript"}
METADATA = {"main_module", "body_part", "bindings", "compatibility_date", "compatibility_flags", "keep_bindings",
            "annotations", "tags", "logpush", "observability", "placement", "usage_model", "limits"}
LARGEST_SCRIPT = 64 << 20
DOMAINS_A_ZONE = 100
DOMAIN_FILTERS = {"environment", "hostname", "service", "zone_id", "zone_name"}
NO_WORKER = "This Worker does not exist on your account."


def bad_upload(message):
    return Refused(10021, message)


def read_form(request):
    """The parts of an upload: (name, filename, type, content)."""
    kind = request.header("Content-Type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise Refused(10021, "The upload is no multipart/form-data.", status=415)
    head = b"Content-Type: " + kind.encode("latin-1") + b"\r\nMIME-Version: 1.0\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    if message.defects or not message.is_multipart():
        raise bad_upload("The multipart body cannot be read.")
    parts = []
    for part in message.iter_parts():
        if part.get_content_disposition() != "form-data" or part.defects:
            raise bad_upload("A part of the multipart body cannot be read.")
        name = part.get_param("name", header="Content-Disposition")
        parts.append((name, part.get_filename(), part.get_content_type(), part.get_payload(decode=True)))
    return parts


def read_metadata(parts):
    content = next((content for name, _, _, content in parts if name == "metadata"), None)
    try:
        metadata = json.loads(content)
    except (TypeError, ValueError):
        raise bad_upload("could not read content for part metadata") from None
    if not isinstance(metadata, dict) or set(metadata) - METADATA:
        raise bad_upload("The metadata holds what is not known.")
    if ("main_module" in metadata) == ("body_part" in metadata):
        raise bad_upload("The metadata must name one of main_module and body_part.")
    date = metadata.get("compatibility_date", "")
    if date and (not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", date) or date > time.strftime("%Y-%m-%d")):
        raise bad_upload(f"compatibility_date {date} is no day that has come.")
    return metadata


class Workers:
    """`service`: the Cloudflare of cloudflare.py."""

    def __init__(self, service, state):
        self.service = service
        self.domains_a_zone = state.get("domains_a_zone", DOMAINS_A_ZONE)
        self.scripts, self.domains = {}, {}
        for given in state.get("workers", []):
            self.keep(given["account"], given["name"], {"worker.js": given["script"].encode()}, "worker.js", {})
        for given in state.get("custom_domains", []):
            self.attach(given["account"], {"hostname": given["hostname"], "service": given["service"]})

    def dump(self):
        scripts = [{"account": account, "name": name, "etag": kept["etag"], "metadata": kept["metadata"],
                    "uploads": kept["uploads"], "script": kept["modules"][kept["main"]].decode()}
                   for (account, name), kept in self.scripts.items()]
        return {"workers": scripts, "custom_domains": list(self.domains.values()),
                "domains_a_zone": self.domains_a_zone}

    # Scripts

    def keep(self, account, name, modules, main, metadata):
        digest = hashlib.sha256(b"".join(modules[key] for key in sorted(modules))).hexdigest()
        uploads = self.scripts.get((account, name), {}).get("uploads", 0) + 1
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        self.scripts[account, name] = {"modules": modules, "main": main, "etag": digest, "metadata": metadata,
                                       "uploads": uploads, "modified_on": now}
        return self.shown(account, name)

    def shown(self, account, name):
        kept = self.scripts[account, name]
        return {"id": name, "etag": kept["etag"], "handlers": ["fetch"], "has_assets": False,
                "has_modules": "body_part" not in kept["metadata"], "modified_on": kept["modified_on"],
                "compatibility_date": kept["metadata"].get("compatibility_date")}

    def script(self, account, name):
        if (account, name) not in self.scripts:
            raise Refused(10007, NO_WORKER, status=404)
        return self.scripts[account, name]

    def upload(self, account, name, request):
        if not re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,62}", name):
            raise Refused(10016, f"'{name}' is no name that a Worker can have.")
        parts = read_form(request)
        metadata = read_metadata(parts)
        main = metadata.get("main_module") or metadata["body_part"]
        wanted = MODULE_TYPES if "main_module" in metadata else SCRIPT_TYPES
        # A part is a file by its filename, else by its name.
        modules = {filename or name: content for name, filename, _, content in parts if name != "metadata"}
        kinds = {filename or name: kind for name, filename, kind, _ in parts}
        if main not in modules:
            raise bad_upload(f"No such module: {main}.")
        if kinds[main] not in wanted:
            raise bad_upload(f"The part {main} has the type {kinds[main]}.")
        if sum(map(len, modules.values())) > LARGEST_SCRIPT:
            raise Refused(10027, "Your Worker exceeds the size limit.", status=413)
        try:
            text = modules[main].decode()
        except UnicodeDecodeError:
            raise bad_upload(f"The part {main} is not UTF-8.") from None
        if "main_module" in metadata and "export default" not in text:
            raise Refused(10068, "The uploaded script has no registered event handlers.")
        return self.keep(account, name, modules, main, metadata)

    def content(self, account, name):
        """A Worker of modules comes as a form with a part for each, and the main one's name in the head."""
        kept = self.script(account, name)
        if "body_part" in kept["metadata"]:
            return emulator.Reply(200, kept["modules"][kept["main"]], [("Content-Type", "application/javascript")])
        boundary = uuid.uuid4().hex
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{module}"; filename="{module}"\r\n'
            f"Content-Type: application/javascript+module\r\n\r\n".encode() + text + b"\r\n"
            for module, text in kept["modules"].items())
        return emulator.Reply(200, body + f"--{boundary}--\r\n".encode(), [
            ("Content-Type", f"multipart/form-data; boundary={boundary}"), ("cf-entrypoint", kept["main"])])

    def remove(self, account, name):
        self.script(account, name)
        if any(d["account"] == account and d["service"] == name for d in self.domains.values()):
            raise Refused(10064, "This Worker is still in use by a Custom Domain.")
        del self.scripts[account, name]

    # Custom Domains

    def zone_of(self, account, hostname):
        zones = [zone for zone in self.service.zones.values()
                 if zone["account"] == account and f".{hostname}".endswith("." + zone["name"])]
        return max(zones, key=lambda zone: len(zone["name"]), default=None)

    def attach(self, account, body):
        if not isinstance(body, dict) or set(body) - {"hostname", "service", "zone_id", "zone_name"} or not all(
                isinstance(body.get(key), str) for key in ("hostname", "service")):
            raise Refused(10021, "The request body is invalid.")
        hostname = body["hostname"].lower()
        self.script(account, body["service"])
        zone = self.zone_of(account, hostname)
        if not zone or zone["status"] != "active" or body.get("zone_id", zone["id"]) != zone["id"] or body.get(
                "zone_name", zone["name"]) != zone["name"]:
            raise Refused(10025, "workers.api.error.origin_hostname_mismatch_zone")
        found = next((d for d in self.domains.values() if d["hostname"] == hostname), None)
        if found:
            found["service"] = body["service"]  # whoever had it before
            return self.shown_domain(found)
        if any(record["name"] == hostname for record in zone["records"].values()):
            raise Refused(100117, f"Hostname '{hostname}' already has externally managed DNS records (A, CNAME, etc). "
                          "Delete them first or try a different hostname.", status=409)
        if sum(1 for d in self.domains.values() if d["zone_id"] == zone["id"]) >= self.domains_a_zone:
            raise Refused(10056, f"A zone can have {self.domains_a_zone} Custom Domains.")
        domain = {"id": hashlib.md5(hostname.encode()).hexdigest(), "account": account, "hostname": hostname,
                  "service": body["service"], "zone_id": zone["id"], "zone_name": zone["name"],
                  "cert_id": str(uuid.uuid4()), "environment": "production"}
        self.domains[domain["id"]] = domain
        self.service.create(zone, {"type": "AAAA", "name": hostname, "content": "100::", "proxied": True,
                                   "meta": {"origin_worker_id": domain["id"], "read_only": True}})
        return self.shown_domain(domain)

    @staticmethod
    def shown_domain(domain):
        return {key: value for key, value in domain.items() if key != "account"}

    def domain(self, account, identifier):
        found = self.domains.get(identifier)
        if not found or found["account"] != account:
            raise Refused(10030, "This Custom Domain does not exist.", status=404)
        return found

    def detach(self, account, identifier):
        domain = self.domain(account, identifier)
        records = self.service.zones[domain["zone_id"]]["records"]
        for record in [r for r in records.values() if r["meta"].get("origin_worker_id") == identifier]:
            del records[record["id"]]
        del self.domains[identifier]

    def list_domains(self, account, request):
        self.service.check_parameters(request, DOMAIN_FILTERS)
        return [self.shown_domain(domain) for domain in self.domains.values() if domain["account"] == account and all(
            domain[name] == value for name, value in request.parameters())]

    # Routes

    def route(self, request, account, rest):
        """The result of one call below /accounts/{account}/workers/, or a Reply where it is not JSON."""
        method = request.method
        script = re.fullmatch(r"scripts/([^/]+)(/content/v2)?", rest)
        domain = re.fullmatch(r"domains/([0-9a-f]{32})", rest)
        if (method, rest) == ("GET", "scripts"):
            return [self.shown(owner, name) for owner, name in self.scripts if owner == account]
        if method == "GET" and script and script[2]:
            return self.content(account, script[1])
        if method == "PUT" and script and not script[2]:
            return self.upload(account, script[1], request)
        if method == "DELETE" and script and not script[2]:
            return self.remove(account, script[1])
        if (method, rest) == ("GET", "domains"):
            return self.list_domains(account, request)
        if (method, rest) == ("PUT", "domains"):
            return self.attach(account, request.json())
        if method == "GET" and domain:
            return self.shown_domain(self.domain(account, domain[1]))
        if method == "DELETE" and domain:
            return self.detach(account, domain[1])
        raise Refused(7000, "No route for that URI", status=404)
