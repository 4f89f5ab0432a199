"""An emulator of this folder in a process of its own, and its control, for tests and benchmarks in Python."""

import http.client
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


class Emulator:
    """Runs from the start until stop(), on a free port of 127.0.0.1 unless `options` say otherwise."""

    def __init__(self, script, *options):
        self.process = subprocess.Popen(["/usr/bin/python3", "-B", HERE / script, *options],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def control(self, method, what, value=None):
        """The answer at /_emulator/`what` (emulator.py says what there is); AssertionError if it is refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, "/_emulator/" + what, json.dumps(value))
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status == 200, body
            return json.loads(body)
        finally:
            connection.close()
