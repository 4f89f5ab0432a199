"""Passes DNS messages over TCP on to a real server, with the journal and the faults of emulator.py.

    dns_proxy.py [options of emulator.py]

The port on the first line takes the controls. PUT /_emulator/state {"upstream": PORT} names the
server for connections from now on; the answer tells the proxy's own "port" for DNS. A
message is journalled as a request: its method is QUERY, UPDATE, or PROBE for an update that only
tests prerequisites; its path is the name in its question ("/example.com"), its query the number of
the type asked for; its status is the RCODE. In a Fault `status` is an RCODE that is answered without
a signature, and a `body` stands in place of all that follows the answer's header.
"""

import heapq
import select
import socket
import struct
import threading
import time

import emulator

OPCODE_UPDATE = 5


def read_name(message, at):
    labels = []
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def as_request(message):
    flags, _, _, updates = struct.unpack("!HHHH", message[2:10])
    name, at = read_name(message, 12)
    method = "QUERY"
    if flags >> 11 & 0xF == OPCODE_UPDATE:
        method = "UPDATE" if updates else "PROBE"
    return emulator.Request(method, "/" + name, str(struct.unpack("!H", message[at : at + 2])[0]), [], b"")


def refusal(message, rcode):
    """The header and the question of a request, as an answer with that RCODE."""
    flags = struct.unpack("!H", message[2:4])[0] & 0x7800 | 0x8000 | rcode
    _, at = read_name(message, 12)
    return message[:2] + struct.pack("!HHHHH", flags, 1, 0, 0, 0) + message[12 : at + 4]


def read_message(stream):
    # Else the server's next answer may wait 40 ms for our acknowledgement (Nagle's algorithm).
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    head = stream.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        raise ConnectionError
    (length,) = struct.unpack("!H", head)
    message = stream.recv(length, socket.MSG_WAITALL)
    if len(message) < length:
        raise ConnectionError
    return message


class Connection:
    """One client, and one connection to the server behind."""

    def __init__(self, service, client):
        self.server, self.latency = service.server, service.options.latency
        self.client = client
        self.upstream = socket.create_connection(("127.0.0.1", service.upstream))
        self.upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = {}  # by id: when it came, the message, its request, its fault
        self.answers = []  # a heap: when to send it, its number, the message, its fault
        self.count = 0

    def serve(self):
        try:
            while True:
                self.serve_once()
        except (OSError, IndexError, KeyError, struct.error):
            pass  # the client went away, or a fault ends the connection
        finally:
            self.client.close()
            self.upstream.close()

    def serve_once(self):
        wait = max(0, self.answers[0][0] - time.monotonic()) if self.answers else None
        readable, _, _ = select.select([self.client, self.upstream], [], [], wait)
        if self.client in readable:
            try:
                message = read_message(self.client)
            except OSError:
                return self.finish()
            self.take(message, time.monotonic())
        if self.upstream in readable:
            self.take_answer(read_message(self.upstream))
        while self.answers and self.answers[0][0] <= time.monotonic():
            _, _, message, fault = heapq.heappop(self.answers)
            self.send(message, fault)

    def finish(self):
        """The client went away: what the server was sent it still does, and that is noted."""
        while self.sent:
            self.take_answer(read_message(self.upstream))
        raise ConnectionError

    def take(self, message, came):
        request = as_request(message)
        fault = self.server.take_fault(request)
        if fault and fault.hold:
            self.server.hold()
        if fault and not fault.done and (fault.status or fault.reset):
            reply = refusal(message, fault.status) if fault.status else None
            self.note(request, reply, done=False)
            self.answer(reply, fault, came)
        else:
            self.sent[message[:2]] = (came, message, request, fault)
            self.upstream.sendall(struct.pack("!H", len(message)) + message)

    def take_answer(self, reply):
        came, message, request, fault = self.sent.pop(reply[:2])
        if fault and fault.status:
            reply = refusal(message, fault.status)
        self.note(request, reply, done=True)
        self.answer(reply, fault, came)

    def note(self, request, reply, done):
        status = struct.unpack("!H", reply[2:4])[0] & 0xF if reply else 0
        self.server.note(request, emulator.Reply(status), done)

    def answer(self, message, fault, came):
        due = came + self.latency + (fault.delay if fault else 0)
        self.count += 1
        heapq.heappush(self.answers, (due, self.count, message, fault))

    def send(self, message, fault):
        if fault and fault.reset:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise ConnectionError
        if fault and fault.body:
            message = message[:12] + fault.body.encode("latin-1")
        data = struct.pack("!H", len(message)) + message
        if fault and fault.cut >= 0:
            self.client.sendall(data[: 2 + fault.cut])
            raise ConnectionError
        self.client.sendall(data)


class DnsProxy(emulator.Service):
    upstream = 0

    def started(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                connection = Connection(self, client)
            except OSError:
                client.close()
                continue
            threading.Thread(target=connection.serve, daemon=True).start()

    def handle(self, request):
        return emulator.Reply(404, b"only controls here; the state tells the port for DNS")

    def load(self, state):
        self.upstream = state["upstream"]
        return self.dump()

    def dump(self):
        return {"upstream": self.upstream, "port": self.listener.getsockname()[1]}


if __name__ == "__main__":
    emulator.main(DnsProxy)
