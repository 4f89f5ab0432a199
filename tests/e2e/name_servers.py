"""The name servers of Debian on free ports of 127.0.0.1, for as long as a test lasts."""

import base64
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

ZONE = """{zone}. 3600 IN SOA ns1.{zone}. hostmaster.{zone}. 1 3600 600 86400 300
{zone}. 3600 IN NS ns1.{zone}.
{zone}. 3600 IN MX 10 mail.{zone}.
ns1.{zone}. 3600 IN A 192.0.2.53
mail.{zone}. 3600 IN A 192.0.2.25
"""


def free_port():
    while True:
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


class Server:
    """One server with its zones; `test` cleans up after it. `secret`: of the TSIG key "stsctl"."""

    def __init__(self, test, zones, secret="c2VjcmV0IG9mIG5vIHdvcnRoIGluIHRlc3RzIQ=="):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stsctl-server-"))
        self.folder.chmod(0o777)  # for servers that give up root
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.zones, self.secret, self.port, self.process = zones, secret, free_port(), None
        self.key = self.write("key", f'key "stsctl" {{ algorithm hmac-sha256; secret "{secret}"; }};\n')
        for zone in zones:
            self.write(f"{zone}.zone", ZONE.format(zone=zone))
        self.prepare()
        self.start()
        test.addCleanup(self.stop)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o666)
        return path

    def prepare(self):
        """Writes what the program needs."""

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: accepts(self.port) or self.process.poll() is not None, self.command()[0])
        # Some listen before they have loaded their zones.
        questions = [word for zone in self.zones for word in (zone, "SOA")]
        wait_until(lambda: len(self.ask(questions)) == len(self.zones), (self.folder / "log").read_text())

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def dig(self, name, kind):
        """The data of the records, sorted."""
        return self.ask([name, kind])

    def ask(self, questions):
        out = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+tcp", "+norecurse", "+short", "+tries=1",
                              "+time=5", *questions], capture_output=True, text=True)
        return sorted(line for line in out.stdout.splitlines() if not line.startswith(";"))

    def nsupdate(self, zone, *commands):
        """Did the server take it, signed with the key?"""
        text = f"server 127.0.0.1 {self.port}\nzone {zone}\n" + "".join(c + "\n" for c in commands) + "send\n"
        return subprocess.run(["nsupdate", "-v", "-k", self.key], input=text, text=True,
                              capture_output=True).returncode == 0


class Bind(Server):
    # In place of {file} and {zone}; the key is "stsctl".
    zone = 'zone "{zone}" {{ type primary; file "{file}"; update-policy {{ grant stsctl zonesub ANY; }}; }};\n'

    def prepare(self):
        folder = self.folder
        text = (f'options {{ directory "{folder}"; pid-file none; session-keyfile "{folder}/session"; lock-file none;\n'
                f'  listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; notify no;\n'
                f'  dnssec-validation no; managed-keys-directory "{folder}"; }};\ncontrols {{}};\n' + self.key.read_text())
        self.write("named.conf", text + "".join(self.zone.format(zone=zone, file=folder / f"{zone}.zone")
                                                for zone in self.zones))

    def command(self):
        return ["named", "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Knot(Server):
    zone = "acl:\n  - id: stsctl\n    key: stsctl\n    action: [update, transfer]\nzone:\n"
    each = '  - domain: {zone}\n    file: {file}\n    acl: stsctl\n'

    def prepare(self):
        folder = self.folder
        text = (f"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{self.port}\n  udp-workers: 1\n  tcp-workers: 2\n"
                f"  background-workers: 1\ndatabase:\n  storage: {folder}\n"
                f"key:\n  - id: stsctl\n    algorithm: hmac-sha256\n    secret: {self.secret}\n")
        self.write("knot.conf", text + self.zone + "".join(
            self.each.format(zone=zone, file=folder / f"{zone}.zone") for zone in self.zones))

    def command(self):
        return ["knotd", "-c", str(self.folder / "knot.conf")]


class PowerDns(Server):
    """With its HTTP API at `api`, whose key is `api_key`."""

    api_key = "api-key-of-no-worth-in-tests"

    def prepare(self):
        folder, self.api_port = self.folder, free_port()
        self.api = f"http://127.0.0.1:{self.api_port}"
        database = folder / "pdns.db"
        schema = pathlib.Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql").read_text()
        subprocess.run(["sqlite3", database], input=schema + "PRAGMA journal_mode=WAL;\nBEGIN;\n" + self.rows() +
                       "COMMIT;\n", text=True, check=True, stdout=subprocess.DEVNULL)
        database.chmod(0o666)
        self.write("pdns.conf", f"""launch=gsqlite3
gsqlite3-database={database}
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port={self.port}
api=yes
api-key={self.api_key}
webserver=yes
webserver-address=127.0.0.1
webserver-port={self.api_port}
webserver-allow-from=127.0.0.1
socket-dir={folder}
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
""")

    def rows(self):
        raw = base64.b64decode(self.secret)
        assert base64.b64encode(raw).decode() == self.secret
        sql = f"INSERT INTO tsigkeys (name,algorithm,secret) VALUES ('stsctl','hmac-sha256','{self.secret}');\n"
        for number, zone in enumerate(self.zones, 1):
            sql += f"INSERT INTO domains (id,name,type) VALUES ({number},'{zone}','NATIVE');\n"
            for kind, value in (("SOA-EDIT-API", "DEFAULT"), ("TSIG-ALLOW-DNSUPDATE", "stsctl")):
                sql += f"INSERT INTO domainmetadata (domain_id,kind,content) VALUES ({number},'{kind}','{value}');\n"
            for line in ZONE.format(zone=zone).splitlines():
                name, ttl, _, kind, data = line.split(None, 4)
                priority, data = data.split(None, 1) if kind == "MX" else (0, data)
                data = " ".join(word.rstrip(".") for word in data.split())
                sql += ("INSERT INTO records (domain_id,name,type,content,ttl,prio,disabled,auth) VALUES "
                        f"({number},'{name.rstrip('.')}','{kind}','{data}',{ttl},{priority},0,1);\n")
        return sql

    def command(self):
        return ["pdns_server", f"--config-dir={self.folder}"]

    def start(self):
        super().start()
        wait_until(lambda: accepts(self.api_port), "the API")
