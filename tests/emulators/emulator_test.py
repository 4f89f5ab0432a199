"""What emulator.py promises to every emulator: journal, faults, state."""

import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COUNTER = """
import sys
sys.path.insert(0, {here!r})
import emulator

class Counter(emulator.Service):
    count = 0
    def handle(self, request):
        self.count += 1
        return emulator.json_reply(200, {{"count": self.count, "body": request.body.decode()}})
    def load(self, state):
        self.count = state["count"]
    def dump(self):
        return {{"count": self.count}}

emulator.main(Counter)
"""


class EmulatorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        script = pathlib.Path(folder.name) / "counter.py"
        script.write_text(COUNTER.format(here=str(HERE)))
        self.server = subprocess.Popen([sys.executable, "-B", script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.port = int(self.server.stdout.readline())

    def ask(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def control(self, method, what, value=None):
        status, body = self.ask(method, "/_emulator/" + what, json.dumps(value))
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def count(self):
        return self.control("GET", "state")["count"]

    def test_journal_holds_requests_but_no_control(self):
        self.ask("POST", "/a?x=1", b"\xc3\xa4", {"X-Extra": "1"})
        self.count()
        (entry,) = self.control("DELETE", "journal")["requests"]
        self.assertEqual((entry["method"], entry["path"], entry["query"]), ("POST", "/a", "x=1"))
        self.assertIn(["X-Extra", "1"], entry["headers"])
        self.assertEqual((entry["body"].encode("latin-1"), entry["status"]), (b"\xc3\xa4", 200))
        self.assertEqual(self.control("GET", "journal")["requests"], [])

    def test_state_is_laid_out_and_shown(self):
        self.control("PUT", "state", {"count": 41})
        self.assertEqual(json.loads(self.ask("GET", "/")[1])["count"], 42)
        self.assertEqual(self.count(), 42)

    def test_chunked_bodies_are_read(self):
        status, body = self.ask("PUT", "/", iter([b"ab", b"c"]))
        self.assertEqual((status, json.loads(body)["body"]), (200, "abc"))

    def test_a_status_replaces_the_work_or_only_its_answer(self):
        fault = {"path": "^/b", "status": 503, "body": "no", "headers": {"Retry-After": "1"}}
        self.control("POST", "faults", fault)
        self.control("POST", "faults", {**fault, "done": True})
        self.assertEqual(self.ask("GET", "/a")[0], 200)
        self.assertEqual(self.ask("GET", "/b"), (503, b"no"))
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.ask("GET", "/b"), (503, b"no"))
        self.assertEqual(self.count(), 2)
        self.assertEqual(self.ask("GET", "/b")[0], 200)

    def test_a_method_and_the_query_choose_what_fails(self):
        self.control("POST", "faults", {"method": "PUT", "path": "page=2$", "status": 500})
        self.assertEqual(self.ask("GET", "/?page=2")[0], 200)
        self.assertEqual(self.ask("PUT", "/?page=1")[0], 200)
        self.assertEqual(self.ask("PUT", "/?page=2")[0], 500)

    def test_a_reset_comes_before_or_after_the_work(self):
        for done in (False, True):
            self.control("POST", "faults", {"reset": True, "done": done})
            with self.assertRaises(OSError):
                self.ask("GET", "/")
            self.assertEqual(self.count(), int(done))
        statuses = [entry["status"] for entry in self.control("GET", "journal")["requests"]]
        self.assertEqual(statuses, [0, 200])

    def test_an_answer_is_cut_in_its_body(self):
        self.control("POST", "faults", {"cut": 3})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask("GET", "/")
        self.assertEqual(len(caught.exception.partial), 3)
        self.assertEqual(self.count(), 1)

    def test_a_held_request_waits_to_be_let_go(self):
        self.control("POST", "faults", {"hold": True, "path": "^/held"})
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.ask("GET", "/held")))
        waiting.start()
        deadline = time.monotonic() + 10
        while self.control("GET", "held") == 0:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.ask("GET", "/other")[0], 200)  # the others go on
        self.assertEqual((self.count(), answers), (1, []))
        self.control("DELETE", "held")
        waiting.join()
        self.assertEqual((self.count(), answers[0][0]), (2, 200))

    def test_the_journal_tells_whether_the_work_was_done(self):
        for fault in ({"status": 503}, {"status": 503, "done": True}, {"reset": True}):
            self.control("POST", "faults", fault)
            try:
                self.ask("GET", "/")
            except OSError:
                pass
        requests = self.control("GET", "journal")["requests"]
        self.assertEqual([entry["done"] for entry in requests], [False, True, False])

    def test_faults_are_forgotten(self):
        self.control("POST", "faults", {"status": 500, "times": 5})
        self.control("DELETE", "faults")
        self.assertEqual(self.ask("GET", "/")[0], 200)


if __name__ == "__main__":
    unittest.main()
