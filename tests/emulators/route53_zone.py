"""What Route 53 holds and which changes it takes: zones, record sets, their order, the rules of a
change batch. Knows no HTTP, nobody who asks, and nothing of the stsctl client."""

import re

ROUTING = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")
TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "TXT")
MOST_RECORDS, MOST_CHARACTERS, LONGEST_VALUE = 1000, 32000, 4000
PLAIN = set("abcdefghijklmnopqrstuvwxyz0123456789-_")
STRING = re.compile(r'"((?:[^"\\]|\\[0-3][0-7][0-7]|\\.)*)"')


class BadBatch(Exception):
    """A change batch that is refused as a whole."""

    def __init__(self, messages):
        super().__init__("; ".join(messages))
        self.messages = messages


def normal_name(name):
    """As the service spells a name: lower case, a final dot, unusual characters as \\ooo."""
    labels, label, i = [], "", 0
    while i < len(name):
        octal = re.match(r"\\([0-3][0-7][0-7])", name[i:])
        if octal:
            label += chr(int(octal.group(1), 8))
            i += 4
        elif name[i] == ".":
            labels.append(label)
            label = ""
            i += 1
        else:
            label += name[i]
            i += 1
    labels += [label] if label else []
    spelled = ["".join(c if c in PLAIN else f"\\{ord(c):03o}" for c in one.lower()) for one in labels]
    return ".".join(spelled) + "."


def order(name):
    """What names are sorted by: labels reversed, a dot after each, in ASCII."""
    return ".".join(reversed(name.rstrip(".").split("."))) + "."


def place(record):
    return order(record["name"]), record["type"], record.get("identifier", "")


class Zone:
    """A hosted zone. Record sets are {"name", "type", "ttl", "values"}, with "identifier" and
    "routing" {element: text} under a routing policy, or "alias" {"DNSName", "HostedZoneId"}."""

    def __init__(self, state):
        self.id, self.name = state["id"], normal_name(state["name"])
        self.private = state.get("private", False)
        self.service = state.get("service", "")
        self.busy = state.get("busy", 0)  # so many changes more are refused
        self.records = {}
        apex = [{"name": self.name, "type": "NS", "ttl": 172800, "values": ["ns-1.awsdns-01.example."]},
                {"name": self.name, "type": "SOA", "ttl": 900,
                 "values": ["ns-1.awsdns-01.example. hostmaster.example. 1 7200 900 1209600 86400"]}]
        for record in apex + state.get("records", []):
            record = record | {"name": normal_name(record["name"])}
            self.records[place(record)] = record
        self.sorted = None

    def dump(self):
        return {"id": self.id, "name": self.name, "records": self.listing()}

    def listing(self):
        if self.sorted is None:
            self.sorted = [self.records[key] for key in sorted(self.records)]
        return self.sorted

    def change(self, changes):
        """Makes all of `changes`, (action, record set) pairs, or none: BadBatch."""
        check_size(changes)
        records, faults, touched = dict(self.records), [], set()
        for action, record in changes:
            record["name"] = normal_name(record["name"])
            if (action, place(record)) in touched:
                faults.append(f"The request contains an invalid set of changes for a resource record set "
                              f"'{record['type']} {record['name']}'")
            touched.add((action, place(record)))
            faults += self.apply(records, action, record)
        if faults:
            raise BadBatch(faults)
        self.records, self.sorted = records, None

    def apply(self, records, action, record):
        what = f"resource record set [name='{record['name']}', type='{record['type']}'" + (
            f", set identifier='{record['identifier']}'" if record.get("identifier") else "") + "]"
        faults = check_values(record)
        if not ("." + record["name"]).endswith("." + self.name):
            faults.append(f"RRSet with DNS name {record['name']} is not permitted in zone {self.name}")
        if faults:
            return faults
        there = records.get(place(record))
        if action == "DELETE":
            if there is None:
                return [f"Tried to delete {what} but it was not found"]
            if not same(there, record):
                return [f"Tried to delete {what} but the values provided do not match the current values"]
            del records[place(record)]
            return []
        if action == "CREATE" and there is not None:
            return [f"Tried to create {what} but it already exists"]
        faults = beside(records, record, self.name)
        if not faults:
            records[place(record)] = record
        return faults


def same(there, record):
    keys = ("ttl", "alias", "routing")
    return sorted(there.get("values", [])) == sorted(record.get("values", [])) and all(
        there.get(key) == record.get(key) for key in keys)


def beside(records, record, zone):
    """What may not stand beside what is there."""
    for other in records.values():
        if other["name"] != record["name"] or place(other) == place(record):
            continue
        if other["type"] == record["type"]:
            if bool(other.get("identifier")) != bool(record.get("identifier")):
                return [f"RRSet with DNS name {record['name']}, type {record['type']} cannot be created as other RRSets "
                        f"exist with the same name and type."]
        elif record["type"] == "CNAME":
            return [f"RRSet of type CNAME with DNS name {record['name']} is not permitted as it conflicts with other "
                    f"records with the same DNS name in zone {zone}"]
        elif other["type"] == "CNAME":
            return [f"RRSet of type {record['type']} with DNS name {record['name']} is not permitted because a "
                    f"conflicting RRSet of type CNAME with the same DNS name already exists in zone {zone}"]
    return []


def check_size(changes):
    records = characters = 0
    for action, record in changes:
        times = 2 if action == "UPSERT" else 1
        records += times * len(record.get("values", []))
        characters += times * sum(len(value) for value in record.get("values", []))
    if records > MOST_RECORDS:
        raise BadBatch([f"Number of records limit of {MOST_RECORDS} exceeded."])
    if characters > MOST_CHARACTERS:
        raise BadBatch([f"Number of characters limit of {MOST_CHARACTERS} exceeded."])


def check_values(record):
    faults = []
    values = record.get("values", [])
    for value in sorted(set(values)):
        if values.count(value) > 1:
            faults.append(f"Duplicate Resource Record: '{value}'")
        fault = value_fault(record["type"], value)
        if fault:
            faults.append(f"Invalid Resource Record: 'FATAL problem: {fault} encountered with '{value}''")
    return faults


def value_fault(kind, value):
    if len(value) > LONGEST_VALUE:
        return "ARRDATAIllegal (Value is too long)"
    if kind == "TXT":
        return text_fault(value)
    if kind == "A" and not re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", value):
        return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
    if kind == "AAAA" and not re.fullmatch(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", value):
        return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    if kind == "CNAME" and not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*\.?", value):
        return "DomainLabelEmpty (Domain label is empty)"
    return None


def text_fault(value):
    rest = value
    while rest:
        found = STRING.match(rest)
        if not found:
            return "InvalidCharacterString (Value should be enclosed in quotation marks)"
        length = len(re.sub(r"\\[0-3][0-7][0-7]|\\.", "x", found.group(1)))
        if length > 255:
            return "CharacterStringTooLong (Value is too long)"
        if any(not 0x20 <= ord(c) < 0x7F for c in found.group(1)):
            return "InvalidCharacterString (Value contains unescaped characters)"
        rest = rest[found.end():].lstrip(" ")
    return None if value else "InvalidCharacterString (Value should be enclosed in quotation marks)"
