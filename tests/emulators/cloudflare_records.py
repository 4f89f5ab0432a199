"""What Cloudflare takes as a DNS record, and how it shows one. Knows no HTTP."""

import ipaddress
import re

TYPES = {"A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY",
         "PTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI"}
ADDRESSES = {"A", "AAAA", "CNAME"}
FIELDS = {"id", "type", "name", "content", "data", "ttl", "proxied", "comment", "tags", "priority", "settings"}
LONGEST_COMMENT = {"free": 100, "pro": 500, "business": 500, "enterprise": 500}
COMBINED_CONTENT = 8192
HOST = re.compile(r"(?!-)[a-z0-9_*-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z")


class Refused(Exception):
    """`chain`: the errors behind a DNS validation error; some matters are told only there."""

    def __init__(self, code, message, chain=(), status=400):
        self.status, self.errors = status, [{"code": code, "message": message}]
        if chain:
            self.errors[0]["error_chain"] = [{"code": c, "message": m} for c, m in chain]


def invalid(code, message):
    return Refused(1004, "DNS Validation Error", [(code, message)])


def full_name(name, zone):
    if not isinstance(name, str) or not name:
        raise invalid(9000, "DNS name is invalid.")
    name = name.rstrip(".").encode("idna" if not name.isascii() else "ascii").decode().lower()
    if name == "@":
        return zone
    if name != zone and not name.endswith("." + zone):
        name = f"{name}.{zone}"
    if len(name) > 253 or not HOST.match(name):
        raise invalid(9000, "DNS name is invalid.")
    return name


def txt_strings(content):
    """The bytes of TXT content: quoted strings joined, or the text as it stands where it has no quote in front."""
    if not content.startswith('"'):
        return content.encode(), False
    joined, rest = b"", content
    while rest:
        string = re.match(r'"((?:[^"\\]|\\[0-9]{3}|\\[^0-9])*)"(?:[ \t]+|\Z)', rest, re.S)
        if not string:
            raise invalid(9207, "TXT content has a quote that is not closed or not apart from the next.")
        for piece in re.finditer(r"\\([0-9]{3})|\\(.)|([^\\]+)", string[1], re.S):
            if piece[1] and int(piece[1]) > 255:
                raise invalid(9207, "TXT content has an escape past \\255.")
            joined += bytes([int(piece[1])]) if piece[1] else (piece[2] or piece[3]).encode()
        rest = rest[string.end():]
    return joined, True


def quoted(data):
    escaped = ["".join(chr(b) if 0x20 <= b <= 0x7E and b not in b'"\\' else
                       "\\" + chr(b) if b in b'"\\' else f"\\{b:03}" for b in data[i:i + 255])
               for i in range(0, len(data), 255)]
    return " ".join(f'"{string}"' for string in escaped)


def stored_content(kind, content):
    """Content as it is kept and shown: an echo of what was sent, but that long quoted strings are split."""
    if not isinstance(content, str) or not content:
        raise invalid(9003, "Content is required.")
    try:
        if kind == "A":
            return str(ipaddress.IPv4Address(content))
        if kind == "AAAA":
            return str(ipaddress.IPv6Address(content))
    except ValueError:
        code, version = (9005, 4) if kind == "A" else (9006, 6)
        raise invalid(code, f"Content for {kind} record must be a valid IPv{version} address.") from None
    if kind in ("CNAME", "MX", "NS"):
        host = content.rstrip(".").lower()
        if not HOST.match(host) and not (kind == "MX" and content == "."):
            raise invalid(9007, f"Content for {kind} record is invalid.")
        return host or "."
    if kind == "TXT":
        data, in_quotes = txt_strings(content)
        if len(data) + len(data) // 255 + 1 > 4096:
            raise invalid(9208, "Record is longer than 4096 bytes on the wire.")
        longest = max(map(len, re.findall(r'"((?:[^"\\]|\\.)*)"', content)), default=0) if in_quotes else 0
        return quoted(data) if longest > 255 else content
    return content


def same_value(one, two):
    if one["type"] == "TXT":
        return txt_strings(one["content"])[0] == txt_strings(two["content"])[0]
    return one["content"] == two["content"] and one.get("priority") == two.get("priority")


def build(given, zone, kind):
    """A record from what was sent, all of it or what a patch makes of it; `kind`: the zone's plan."""
    unknown = set(given) - FIELDS - {"proxiable", "meta", "created_on", "modified_on"}
    if unknown:
        raise Refused(9207, f"Request body is invalid: unknown {', '.join(sorted(unknown))}.")
    if given.get("type") not in TYPES:
        raise invalid(9003, "DNS record type is invalid.")
    record = {"name": full_name(given.get("name"), zone), "type": given["type"],
              "content": stored_content(given["type"], given.get("content")),
              "proxiable": given["type"] in ADDRESSES, "proxied": given.get("proxied") or False,
              "ttl": given.get("ttl", 1), "settings": given.get("settings") or {}, "meta": given.get("meta", {}),
              "comment": given.get("comment") or None, "tags": given.get("tags") or []}
    if record["proxied"] and not record["proxiable"]:
        raise invalid(9004, "This record type cannot be proxied.")
    shortest = 30 if kind == "enterprise" else 60
    if type(record["ttl"]) is not int or record["ttl"] != 1 and not shortest <= record["ttl"] <= 86400:
        raise invalid(9021, f"Invalid TTL. Must be between {shortest} and 86400 seconds, or 1 for Automatic.")
    if record["proxied"]:
        record["ttl"] = 1
    if record["comment"] and len(record["comment"]) > LONGEST_COMMENT[kind]:
        raise invalid(9301, f"DNS record comment is longer than {LONGEST_COMMENT[kind]} characters.")
    if record["tags"] and kind == "free":
        raise invalid(9300, f"DNS record has {len(record['tags'])} tags, exceeding the quota of 0.")
    if record["type"] == "MX":
        if type(given.get("priority")) is not int or not 0 <= given["priority"] <= 65535:
            raise invalid(9100, "Priority is required, from 0 to 65535.")
        record["priority"] = given["priority"]
    return record


def check_beside(record, others, duplicate_code):
    """Refuses a record that cannot stand beside `others`, all those of the zone but itself."""
    here = [other for other in others if other["name"] == record["name"]]
    if any(other["type"] == record["type"] and same_value(other, record) for other in here):
        raise Refused(duplicate_code, "An identical record already exists." if duplicate_code == 81058
                      else "The record already exists.")
    addresses = [other["type"] for other in here if other["type"] in ADDRESSES]
    if record["type"] in ADDRESSES and any(other["meta"].get("origin_worker_id") for other in here):
        raise Refused(81062, "A DNS record managed by Workers already exists on that host.")
    if record["type"] == "CNAME" and addresses:
        raise Refused(81053, "An A, AAAA, or CNAME record with that host already exists.")
    if record["type"] in ("A", "AAAA") and "CNAME" in addresses:
        raise Refused(81054, "A CNAME record with that host already exists.")
    if here and (record["type"] == "NS") != all(other["type"] == "NS" for other in here):
        raise Refused(81056, "NS records with that host already exist.")
    combined = sum(len(other["content"]) for other in here if other["type"] == record["type"])
    if combined + len(record["content"]) > COMBINED_CONTENT:
        raise invalid(9209, f"Combined content of records with this name and type exceeds {COMBINED_CONTENT}.")
