"""An HTTP/1.1 server that misbehaves on request: the path says how. Python's standard library only.

    faulty_http.py [--cert PEM --key PEM] [--max-tls 1.1] [--address 127.0.0.2 --port 8443]

Prints its port on the first line, then serves until killed. The journal is in GET /journal: the
number of connections accepted, and how often each path was asked for.
"""

import argparse
import collections
import gzip
import json
import socket
import ssl
import struct
import threading
import zlib

journal_lock = threading.Lock()
connections = 0
asked = collections.Counter()


class Gone(Exception):
    """The client closed the connection."""


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.buffer = b""
        self.served = 0

    def read_until(self, mark):
        while mark not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def read_bytes(self, count):
        while len(self.buffer) < count:
            self.more()
        body, self.buffer = self.buffer[:count], self.buffer[count:]
        return body

    def more(self):
        piece = self.stream.recv(65536)
        if not piece:
            raise Gone
        self.buffer += piece

    def send(self, data):
        self.stream.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self, status, body=b"", headers=()):
        lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def hang(self):
        """Says nothing until the client goes away."""
        while True:
            self.more()

    def drip(self, data, seconds):
        """One byte at a time; ends when the client goes away."""
        self.stream.settimeout(seconds)
        for byte in data:
            self.send(bytes([byte]))
            try:
                self.more()
            except TimeoutError:
                continue

    def reset(self):
        raw = self.stream
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 86400\r\n"


def well_known(connection, request, head):
    """A policy, spoiled as the first label of the domain says ("mta-sts.redirect.example.com")."""
    host = next(value for name, value in request["headers"] if name.lower() == "host")
    labels = host.split(":")[0].split(".")
    how = labels[1] if labels[0] == "mta-sts" else labels[0]
    plain = [("Content-Type", "text/plain")]
    mail = ".".join(labels[1:]) if how == "bare" else "mail." + ".".join(labels[1:])
    policy = POLICY.replace(b"mail.example.com", mail.encode())
    if how == "redirect":
        connection.answer(301, b"", [("Location", "/echo")])
    elif how == "missing":
        connection.answer(404, b"no", plain)
    elif how == "html":
        connection.answer(200, policy, [("Content-Type", "text/html")])
    elif how == "big":
        connection.answer(200, policy + b"x: y\r\n" * 20000, plain)
    elif how == "huge":
        connection.answer(200, policy + b"x: y\r\n" * (10 * 1024 * 1024 // 6), plain)
    elif how == "circle":
        connection.answer(302, b"", [("Location", f"https://{host}/.well-known/mta-sts.txt")])
    elif how == "drip":
        connection.send(head + "Content-Length: 100000\r\n\r\n")
        connection.drip(b"x" * 100000, 0.1)
    else:
        connection.answer(200, policy, plain)


def behave(connection, request):
    path = request["path"]
    head = "HTTP/1.1 200 OK\r\n"
    if path == "/.well-known/mta-sts.txt":
        return well_known(connection, request, head)
    if path == "/echo":
        connection.answer(200, json.dumps(request).encode())
    elif path == "/journal":
        with journal_lock:
            body = json.dumps({"connections": connections, "asked": asked})
        connection.answer(200, body.encode())
    elif path.startswith("/status/"):
        fields = [field.split("=", 1) for field in request["query"].split("&") if field]
        connection.answer(int(path[8:]), b"body", fields)
    elif path == "/gzip":
        body = gzip.compress(b"squeezed" * 1000)
        connection.answer(200, body, [("Content-Encoding", "gzip")])
    elif path == "/bomb":
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()
        connection.answer(200, body, [("Content-Encoding", "gzip")])
    elif path == "/broken-gzip":
        connection.answer(200, b"\x1f\x8bnothing of that", [("Content-Encoding", "gzip")])
    elif path == "/big":
        connection.answer(200, bytes(int(request["query"])))
    elif path == "/endless":
        connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.send(b"10000\r\n" + bytes(65536) + b"\r\n")
    elif path == "/endless-headers":
        connection.send(head)
        while True:
            connection.send("X-More: " + "x" * 1000 + "\r\n")
    elif path == "/endless-interim":
        while True:
            connection.send("HTTP/1.1 103 Early Hints\r\nX-More: " + "x" * 1000 + "\r\n\r\n")
    elif path == "/interim":
        connection.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
        connection.answer(200, b"final", [("X-Final", "1")])
    elif path == "/trailers":
        connection.send(head + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Late: 1\r\n\r\n")
    elif path == "/hang":
        connection.hang()
    elif path == "/drip":
        connection.send(head + "Content-Length: 100000\r\n\r\n")
        connection.drip(b"x" * 100000, 0.1)
    elif path == "/stall":
        connection.send(head + "Content-Length: 1000\r\n\r\n" + "x" * 500)
        connection.hang()
    elif path == "/truncated":
        connection.send(head + "Content-Length: 1000\r\n\r\n" + "x" * 500)
        raise Gone
    elif path == "/truncated-chunk":
        connection.send(head + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + "x" * 500)
        raise Gone
    elif path == "/reset":
        connection.reset()
    elif path == "/reset-in-body":
        connection.send(head + "Content-Length: 1000\r\n\r\n" + "x" * 500)
        connection.reset()
    elif path == "/close-if-reused":
        if connection.served > 0:
            raise Gone
        connection.answer(200, b"first on this connection")
    elif path == "/garbage":
        connection.send("good day, this is no HTTP\r\n\r\n")
        raise Gone
    elif path == "/bad-status":
        connection.send("HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n")
        raise Gone
    elif path == "/redirect":
        connection.answer(302, b"", [("Location", "/echo")])
    else:
        connection.answer(404, b"no such fault")


def read_request(connection):
    head = connection.read_until(b"\r\n\r\n").decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = [line.split(": ", 1) if ": " in line else [line.rstrip(":"), ""] for line in lines]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    path, _, query = target.partition("?")
    return {
        "method": method,
        "path": path,
        "query": query,
        "headers": headers,
        "body": connection.read_bytes(length).decode("latin-1"),
    }


def serve(raw, tls):
    global connections
    try:
        stream = tls.wrap_socket(raw, server_side=True) if tls else raw
        with journal_lock:
            connections += 1
        connection = Connection(stream)
        while True:
            request = read_request(connection)
            with journal_lock:
                asked[request["path"]] += 1
            behave(connection, request)
            connection.served += 1
    except (Gone, OSError, ValueError):
        pass
    finally:
        try:
            stream.close()
        except (OSError, UnboundLocalError):
            raw.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--max-tls", choices=["1.1", "1.2"])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
        if options.max_tls == "1.1":
            tls.set_ciphers("DEFAULT:@SECLEVEL=0")
            tls.minimum_version = ssl.TLSVersion.TLSv1_1
            tls.maximum_version = ssl.TLSVersion.TLSv1_1
        elif options.max_tls == "1.2":
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server((options.address, options.port), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(raw, tls), daemon=True).start()


if __name__ == "__main__":
    main()
