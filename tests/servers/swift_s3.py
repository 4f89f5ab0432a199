"""OpenStack Swift with its S3 API, as Debian packages it: account, container, object and proxy server in one process,
one device, one replica, in a folder of its own. Reads and writes nothing in /etc and needs no memcached.

    swift_s3.py FOLDER

Prints its port on the first line and serves until killed. S3 is at "/", for the access key "test:tester" with the
secret "secret-of-no-worth"; Swift's own API is at "/v1/", open to everybody, for other eyes than those of an S3 client.
"""

import pathlib
import sys

import eventlet
import eventlet.wsgi

# As the servers of Swift do it themselves, before anything of it is imported.
eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift.common import utils  # noqa: E402

FOLDER = pathlib.Path(sys.argv[1]).resolve()
SETTINGS = FOLDER / "swift.conf"
SETTINGS.write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
utils.SWIFT_CONF_FILE = str(SETTINGS)  # read as soon as the rest is imported

from swift.common import wsgi  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

DEVICE = "d1"
PROXY = f"""
[DEFAULT]
swift_dir = {FOLDER}
log_level = ERROR
[pipeline:main]
pipeline = %s
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = __main__:remembering
[filter:s3api]
use = egg:swift#s3api
allow_multipart_uploads = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = secret-of-no-worth .admin
"""
STORAGE = f"""
[DEFAULT]
devices = {FOLDER}/devices
swift_dir = {FOLDER}
mount_check = false
log_level = ERROR
[pipeline:main]
pipeline = server
[app:server]
use = egg:swift#%s
"""


class Memory:
    """What the proxies of a cluster remember together, in place of memcached."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def delete(self, key, **_):
        self.values.pop(key, None)


MEMORY = Memory()


def remembering(settings, **_):
    """The filter "cache"."""
    def wrap(app):
        def call(environment, start_response):
            environment["swift.cache"] = MEMORY
            return app(environment, start_response)
        return call
    return wrap


class Silence:
    """Takes the log of requests."""

    def write(self, text):
        pass


def listen():
    return eventlet.listen(("127.0.0.1", 0), backlog=1024)


def serve(socket, app):
    eventlet.spawn(eventlet.wsgi.server, socket, app, Silence(), protocol=SwiftHttpProtocol)


def load(name, text):
    path = FOLDER / f"{name}.conf"
    path.write_text(text)
    return wsgi.loadapp(str(path))


def start_storage(kind):
    socket = listen()
    ring = RingBuilder(1, 1, 0)  # two partitions, one replica
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "device": DEVICE,
                  "ip": "127.0.0.1", "port": socket.getsockname()[1]})
    ring.rebalance()
    ring.get_ring().save(str(FOLDER / f"{kind}.ring.gz"))
    serve(socket, load(kind, STORAGE % kind))


def start_proxy():
    s3 = load("s3", PROXY % "catch_errors cache s3api tempauth proxy-server")
    own = load("own", PROXY % "catch_errors cache proxy-server")

    def choose(environment, start_response):
        app = own if environment["PATH_INFO"].startswith("/v1/") else s3
        return app(environment, start_response)

    socket = listen()
    serve(socket, choose)
    return socket.getsockname()[1]


(FOLDER / "devices" / DEVICE).mkdir(parents=True)
for server in ("account", "container", "object"):
    start_storage(server)
print(start_proxy(), flush=True)
eventlet.hubs.get_hub().switch()
