"""Passes HTTP requests on to a real server, with the journal and the faults of emulator.py.

    proxy.py --upstream http://127.0.0.1:PORT [options of emulator.py]
"""

import http.client
import urllib.parse

import emulator

HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Proxy(emulator.Service):
    parallel = True

    @staticmethod
    def add_options(parser):
        parser.add_argument("--upstream", required=True, help="base URL of the real server")

    def __init__(self, options):
        super().__init__(options)
        self.upstream = urllib.parse.urlsplit(options.upstream)

    def handle(self, request):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        try:
            target = request.path + ("?" + request.query if request.query else "")
            headers = {n: v for n, v in request.headers if n.lower() not in HOP_BY_HOP}
            connection.request(request.method, target, request.body or None, headers)
            answer = connection.getresponse()
            kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in HOP_BY_HOP]
            return emulator.Reply(answer.status, answer.read(), kept)
        except OSError as error:
            return emulator.Reply(502, f"no answer from upstream: {error}".encode())
        finally:
            connection.close()


if __name__ == "__main__":
    emulator.main(Proxy)
