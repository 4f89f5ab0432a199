"""What every emulator of an HTTP API has in common: the server, a journal of requests, faults on
request, and a way to lay out and look at its state. Python's standard library only; knows no API.

An emulator is a Service and ends with `emulator.main(MyService)`. It prints its port on the first
line and serves until killed:

    NAME.py [--port N] [--cert PEM --key PEM] [--latency SECONDS] [options of its own]

Control, on the same port; not journalled and not slowed:

    GET/DELETE /_emulator/journal    requests so far, oldest first; forget them
    POST/DELETE /_emulator/faults    one fault more (see Fault); forget them
    GET/DELETE /_emulator/held       how many requests a fault holds; let them go on
    GET/PUT /_emulator/state         what the service holds; lay it out anew (Service.load)
    GET /_emulator/look?QUERY        one thing of it (Service.look)
"""

import argparse
import dataclasses
import http.server
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Request:
    method: str
    path: str  # as it was sent, still percent-encoded, without the query
    query: str  # as it was sent
    headers: list  # [name, value] pairs, in order
    body: bytes

    def header(self, name, default=None):
        """The first value of a field, or `default`."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    def parameters(self):
        """The decoded query: a list of (name, value), in order."""
        return urllib.parse.parse_qsl(self.query, keep_blank_values=True)

    def parameter(self, name, default=None):
        return next((v for n, v in self.parameters() if n == name), default)

    def json(self):
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)


@dataclasses.dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: list = dataclasses.field(default_factory=list)  # (name, value) pairs


def json_reply(status, value, headers=()):
    return Reply(status, json.dumps(value).encode(), [("Content-Type", "application/json"), *headers])


@dataclasses.dataclass
class Fault:
    """What goes wrong with the next `times` requests that fit `method` and the regular expression
    `path` (matched against path?query); each is used up in the order given."""

    times: int = 1
    method: str = ""  # "": any
    path: str = ""
    done: bool = False  # the work is done all the same, and only its answer goes wrong
    hold: bool = False  # wait before the work until DELETE /_emulator/held
    delay: float = 0  # seconds before the answer
    status: int = 0  # answer this, with `body` and `headers`
    body: str = ""
    headers: dict = dataclasses.field(default_factory=dict)
    cut: int = -1  # send only so many bytes of the body (where there is none: of the head), then close
    reset: bool = False  # reset the connection instead of answering

    def fits(self, request):
        target = request.path + ("?" + request.query if request.query else "")
        return self.times > 0 and self.method in ("", request.method) and re.search(self.path, target)


class Service:
    """One API. handle() runs under a lock: one request at a time changes the state."""

    parallel = False  # True: handle() locks for itself

    @staticmethod
    def add_options(parser):
        """Adds the emulator's own command-line options."""

    def __init__(self, options):
        self.options = options

    def started(self, server):
        """Called once, before the first request, with the Server."""

    def handle(self, request):
        """Does what `request` asks and returns a Reply."""
        raise NotImplementedError

    def load(self, state):
        """Lays the state out anew from JSON. May return what the one who does it wants to know."""
        raise NotImplementedError

    def dump(self):
        """The state as JSON, for a test to look at."""
        raise NotImplementedError

    def look(self, request):
        """One thing of the state, by the query of `request`, for a test that looks often."""
        raise NotImplementedError


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address, service, tls):
        super().__init__(address, Handler)
        self.service, self.tls = service, tls
        self.guard = threading.Lock()
        self.journal, self.faults, self.connections = [], [], 0
        self.held, self.released = 0, threading.Condition(self.guard)

    def finish_request(self, request, client_address):
        # The handshake belongs to the connection's own thread.
        stream = self.tls.wrap_socket(request, server_side=True) if self.tls else request
        with self.guard:
            self.connections += 1
        super().finish_request(stream, client_address)

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)

    def take_fault(self, request):
        with self.guard:
            fault = next((f for f in self.faults if f.fits(request)), None)
            if fault:
                fault.times -= 1
            return fault

    def hold(self):
        with self.guard:
            self.held += 1
            self.released.wait_for(lambda: self.held == 0, timeout=30)

    def work(self, request):
        if self.service.parallel:
            return self.service.handle(request)
        with self.guard:
            return self.service.handle(request)

    def note(self, request, reply, done):
        entry = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            "body": request.body.decode("latin-1"),
            "status": reply.status if reply else 0,
            "done": done,
            "at": time.monotonic(),
        }
        with self.guard:
            self.journal.append(entry)

    def control(self, request):
        what = request.path.removeprefix("/_emulator/")
        with self.guard:
            if what == "journal":
                answer = {"connections": self.connections, "requests": list(self.journal)}
                if request.method == "DELETE":
                    self.journal.clear()
            elif what == "faults":
                answer = None
                if request.method == "DELETE":
                    self.faults.clear()
                else:
                    self.faults.append(Fault(**request.json()))
            elif what == "held":
                answer = self.held
                if request.method == "DELETE":
                    self.held = 0
                    self.released.notify_all()
            elif what == "state":
                put = request.method == "PUT"
                answer = self.service.load(request.json()) if put else self.service.dump()
            elif what == "look":
                answer = self.service.look(request)
            else:
                return Reply(404, b"no such control")
        return json_reply(200, answer)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format, *arguments):
        pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def handle_expect_100(self):
        # Nobody shall wait for it until the whole answer is written.
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def read_body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b"\n", b""):
            pass
        return body

    def serve(self):
        path, _, query = self.path.partition("?")
        headers = [[name, value] for name, value in self.headers.items()]
        request = Request(self.command, path, query, headers, self.read_body())
        if path.startswith("/_emulator/"):
            return self.answer(self.server.control(request))
        time.sleep(self.server.service.options.latency)
        fault = self.server.take_fault(request)
        if fault and fault.hold:
            self.server.hold()
        reply = None
        if fault is None or fault.done or not (fault.status or fault.reset):
            reply = self.server.work(request)
        done = reply is not None
        if fault and fault.status:
            reply = Reply(fault.status, fault.body.encode(), list(fault.headers.items()))
        self.server.note(request, reply, done)
        if fault:
            time.sleep(fault.delay)
            if fault.reset:
                return self.reset()
        self.answer(reply, fault.cut if fault else -1)

    def answer(self, reply, cut=-1):
        names = {name.lower() for name, _ in reply.headers}
        lines = [f"{self.protocol_version} {reply.status} {self.responses.get(reply.status, ['Status'])[0]}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if "content-length" not in names:
            lines.append(f"Content-Length: {len(reply.body)}")
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        body = b"" if self.command == "HEAD" else reply.body
        data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        if cut >= 0:
            # Counted within the body, so that what is cut still is an HTTP answer.
            data = data[: len(data) - len(body) + cut] if body else data[:cut]
            self.close_connection = True
        self.wfile.write(data)
        self.wfile.flush()

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def main(service, description=""):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    service.add_options(parser)
    options = parser.parse_args()
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
    server = Server(("127.0.0.1", options.port), service(options), tls)
    server.service.started(server)
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=3600)
