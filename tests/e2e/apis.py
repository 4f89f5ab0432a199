"""The emulators of DNS services on free ports of 127.0.0.1, with the face of `name_servers`: start, stop, dig."""

import os
import sys

import name_servers
import world

sys.path.insert(0, str(world.SOURCE / "tests" / "emulators"))
import running


class Api:
    """One emulator with its zones; `test` cleans up after it. What it held is there again after a stop."""

    script = None

    def __init__(self, test, zones):
        self.zones, self.port, self.running = zones, name_servers.free_port(), None
        self.state = self.first_state()
        self.start()
        test.addCleanup(self.stop)

    @property
    def api(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.running = running.Emulator(self.script, "--port", str(self.port))
        self.control("PUT", "state", self.state)

    def stop(self):
        if self.running is None:
            return
        self.state = {**self.state, **self.kept(self.control("GET", "state"))}
        self.running.stop()
        self.running = None

    def control(self, method, what, value=None):
        return self.running.control(method, what, value)

    def change(self, **state):
        """Lays the service out anew with these parts of its state replaced."""
        self.state = {**self.state, **self.kept(self.control("GET", "state")), **state}
        self.control("PUT", "state", self.state)

    @staticmethod
    def kept(state):
        return {"zones": state["zones"]}


class Cloudflare(Api):
    script = "cloudflare.py"
    token = "cloudflare-token-of-no-worth-in-tests-00"

    def first_state(self):
        zones = [{"name": zone, "records": [
            {"type": "MX", "name": zone, "content": f"mail.{zone}", "priority": 10, "ttl": 3600}]} for zone in self.zones]
        return {"tokens": [{"value": self.token}], "zones": zones}

    def permit(self, *permissions):
        self.change(tokens=[{"value": self.token, "permissions": list(permissions)}])

    def dig(self, owner, kind):
        return [f"{one['priority']} {one['content']}." if kind == "MX" else one["content"]
                for zone in self.control("GET", "state")["zones"] for one in zone["records"]
                if (one["name"], one["type"]) == (owner, kind)]


class Route53(Api):
    script = "route53.py"
    env = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "aws-secret-of-no-worth-in-tests",
           "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
           "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    def first_state(self):
        zones = [{"id": f"Z{number}", "name": zone, "records": [
            {"name": zone, "type": "MX", "ttl": 3600, "values": [f"10 mail.{zone}."]}]}
            for number, zone in enumerate(self.zones)]
        return {"identity": {"keys": [{"access_key": self.env["AWS_ACCESS_KEY_ID"],
                                       "secret_key": self.env["AWS_SECRET_ACCESS_KEY"]}]},
                "polls": 0, "zones": zones}

    def dig(self, owner, kind):
        return [value for zone in self.control("GET", "state")["zones"] for one in zone["records"]
                if (one["name"].rstrip("."), one["type"]) == (owner, kind) for value in one["values"]]
