"""What the proxies do: pass everything on, count it, and spoil what they are told to."""

import http.client
import http.server
import json
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Behind(http.server.BaseHTTPRequestHandler):
    """A server that repeats what it was asked."""

    def log_message(self, format, *arguments):
        pass

    def do_PATCH(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps([self.path, self.headers["X-Key"], body.decode()]).encode()
        self.send_response(207)
        self.send_header("X-Answer", "42")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Proxied(unittest.TestCase):
    def start(self, script, *options):
        process = subprocess.Popen([sys.executable, "-B", HERE / script, *options],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.port = int(process.stdout.readline())

    def ask(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply, reply.read()
        finally:
            connection.close()

    def control(self, method, what, value=None):
        reply, body = self.ask(method, "/_emulator/" + what, json.dumps(value))
        self.assertEqual(reply.status, 200, body)
        return json.loads(body)

    def journal(self):
        return [(one["method"], one["path"], one["status"], one["done"])
                for one in self.control("GET", "journal")["requests"]]


class Http(Proxied):
    def setUp(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.start("proxy.py", "--upstream", f"http://127.0.0.1:{server.server_address[1]}")

    def test_everything_is_passed_on(self):
        reply, body = self.ask("PATCH", "/a?b=c", "d", {"X-Key": "k"})
        self.assertEqual((reply.status, reply.getheader("X-Answer")), (207, "42"))
        self.assertEqual(json.loads(body), ["/a?b=c", "k", "d"])
        self.assertEqual(self.journal(), [("PATCH", "/a", 207, True)])

    def test_a_fault_comes_in_its_place(self):
        self.control("POST", "faults", {"method": "PATCH", "status": 503})
        self.assertEqual(self.ask("PATCH", "/", "d")[0].status, 503)
        self.assertEqual(self.ask("PATCH", "/", "d")[0].status, 207)
        self.assertEqual([one[3] for one in self.journal()], [False, True])

    def test_a_server_that_is_gone_is_a_502(self):
        self.start("proxy.py", "--upstream", f"http://127.0.0.1:{free_port()}")
        self.assertEqual(self.ask("GET", "/")[0].status, 502)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def message(identity, opcode=0, updates=0, name=b"\x01a\x07EXAMPLE\x00"):
    return struct.pack("!HHHHHH", identity, opcode << 11, 1, 0, updates, 0) + name + b"\x00\x10\x00\x01"


def receive(stream):
    def exactly(count):
        data = b""
        while len(data) < count:
            piece = stream.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    return exactly(struct.unpack("!H", exactly(2))[0])


class Dns(Proxied):
    """Behind the proxy every message comes back as it is, with the bit of an answer set."""

    def setUp(self):
        self.start("dns_proxy.py")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        threading.Thread(target=self.echo, args=(listener,), daemon=True).start()
        port = self.control("PUT", "state", {"upstream": listener.getsockname()[1]})["port"]
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.addCleanup(self.stream.close)

    @staticmethod
    def echo(listener):
        try:
            with listener.accept()[0] as stream:
                while True:
                    data = receive(stream)
                    data = data[:2] + bytes([data[2] | 0x80]) + data[3:]
                    stream.sendall(struct.pack("!H", len(data)) + data)
        except (OSError, EOFError):
            pass

    def send(self, *messages):
        self.stream.sendall(b"".join(struct.pack("!H", len(one)) + one for one in messages))

    def test_messages_are_passed_on_and_told_apart(self):
        self.send(message(1), message(2, opcode=5, updates=1), message(3, opcode=5))
        for identity in (1, 2, 3):
            answer = receive(self.stream)
            self.assertEqual(struct.unpack("!H", answer[:2])[0], identity)
            self.assertTrue(answer[2] & 0x80)
        self.assertEqual(self.journal(), [("QUERY", "/a.example", 0, True), ("UPDATE", "/a.example", 0, True),
                                          ("PROBE", "/a.example", 0, True)])

    def test_an_rcode_in_place_of_the_work(self):
        self.control("POST", "faults", {"method": "UPDATE", "status": 2})
        self.send(message(1, opcode=5, updates=1), message(2))
        self.assertEqual(receive(self.stream), b"\x00\x01\xa8\x02\x00\x01" + bytes(6) + message(1)[12:])
        self.assertEqual(receive(self.stream)[:2], b"\x00\x02")
        self.assertEqual(self.journal()[0], ("UPDATE", "/a.example", 2, False))

    def test_an_answer_is_cut(self):
        self.control("POST", "faults", {"cut": 5})
        self.send(message(1))
        with self.assertRaises(EOFError):
            receive(self.stream)
        self.assertEqual(self.journal(), [("QUERY", "/a.example", 0, True)])

    def reset(self, done):
        self.control("POST", "faults", {"reset": True, "done": done})
        self.send(message(1))
        with self.assertRaises(ConnectionResetError):
            receive(self.stream)
        self.assertEqual([one[3] for one in self.journal()], [done])

    def test_a_reset_before_the_work(self):
        self.reset(False)

    def test_a_reset_after_the_work(self):
        self.reset(True)

    def test_an_answer_comes_late_and_others_do_not_wait(self):
        self.control("POST", "faults", {"delay": 0.3})
        begin = time.monotonic()
        self.send(message(1), message(2))
        self.assertEqual(receive(self.stream)[:2], b"\x00\x02")
        self.assertEqual(receive(self.stream)[:2], b"\x00\x01")
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)

    def test_garbage_keeps_only_the_header(self):
        self.control("POST", "faults", {"body": "no DNS"})
        self.send(message(1))
        self.assertEqual(receive(self.stream)[12:], b"no DNS")

    def hold(self):
        self.control("POST", "faults", {"hold": True})
        self.send(message(1))
        self.wait_for(lambda: self.control("GET", "held") == 1)
        self.assertEqual(self.journal(), [])

    def wait_for(self, condition):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline)

    def test_a_held_message_waits(self):
        self.hold()
        self.control("DELETE", "held")
        self.assertEqual(receive(self.stream)[:2], b"\x00\x01")

    def test_a_held_message_arrives_though_its_sender_is_gone(self):
        self.hold()
        self.stream.close()
        self.control("DELETE", "held")
        self.wait_for(lambda: self.journal() == [("QUERY", "/a.example", 0, True)])


if __name__ == "__main__":
    unittest.main()
