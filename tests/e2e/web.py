"""Web servers and a verifying client for them: a private CA, one fetch, a program that runs."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import world

DEADLINE = 20


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.02)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class TestCa:
    """A private CA and what it issues, in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "ca.pem"
        self._make("-x509", "-days", "30", "-out", self.file, key=self.folder / "ca.key",
                   subject="/CN=test CA")

    @staticmethod
    def _make(*more, key, subject):
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", key, "-subj", subject, *more], check=True,
                       capture_output=True)

    def issue(self, chain, key, *names, days=10):
        """Writes a certificate for DNS names, and its key; days < 0: expired."""
        for path in (chain, key):
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        request, extensions = self.folder / "request", self.folder / "extensions"
        self._make("-out", request, key=key, subject="/CN=x")
        extensions.write_text("subjectAltName=" + ",".join("DNS:" + name for name in names))
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", self.file, "-CAkey",
                        self.folder / "ca.key", "-CAcreateserial", "-days", str(days), "-extfile",
                        extensions, "-out", chain], check=True, capture_output=True)


class Answer:
    def __init__(self, raw):
        head, self.body = raw.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers[name.lower()] = value.strip()


def read_to_end(stream):
    raw = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while part := stream.recv(65536):
            raw += part
    return raw


def fetch(port, host, path="/.well-known/mta-sts.txt", ca=None, method="GET", context=None,
          headers=""):
    """What a sender gets from 127.0.0.1:port for https://host/path, its certificate verified
    against `ca`; over plain HTTP without one."""
    request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as stream:
        if ca or context:
            context = context or ssl.create_default_context(cafile=ca.file)
            with context.wrap_socket(stream, server_hostname=host) as tls:
                tls.sendall(request.encode())
                return Answer(read_to_end(tls))
        stream.sendall(request.encode())
        return Answer(read_to_end(stream))


class Program:
    """A program that runs until stop(), its stdout and stderr in files."""

    def __init__(self, argv, folder, **more):
        self.out, self.err = pathlib.Path(folder) / "out", pathlib.Path(folder) / "err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(argv, stdout=out, stderr=err, cwd=folder,
                                            stdin=subprocess.DEVNULL, **more)

    def said(self, text):
        """Waits until it stands in stderr."""
        wait_until(lambda: text in self.err.read_text() or self.process.poll() is not None,
                   f"{text!r} in {self.err.read_text()}")
        assert text in self.err.read_text(), self.err.read_text()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(DEADLINE)

    def end(self):
        """Asks it to end, since a web server that is killed leaves its workers behind; kills what does not."""
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


NGINX = """daemon off; pid {dir}/nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp;
fastcgi_temp_path {dir}/tmp; uwsgi_temp_path {dir}/tmp; scgi_temp_path {dir}/tmp;
{inside}
}}
"""


def nginx(folder, inside):
    """The command of an nginx that keeps what it writes below `folder`; `inside` stands in its http block."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(dir=folder, inside=inside))
    return ["nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"]


class Serve(Program):
    """stsctl serve on free ports."""

    def __init__(self, folder, *options, listen=("--listen", "127.0.0.1:0"), **more):
        super().__init__([world.STSCTL, "serve", *listen, "--metrics", "127.0.0.1:0", *options],
                         folder, **more)
        self.said("info: serving ")
        urls = re.search(r"serving .* on (.*)", self.err.read_text()).group(1).split(", ")
        *self.ports, self.metrics_port = [int(url.rsplit(":", 1)[1]) for url in urls]
        self.port = self.ports[0]

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def metrics(self):
        return fetch(self.metrics_port, "localhost", "/metrics").body.decode()


class WebWorld(world.World):
    """A world with servers that end with the test."""

    def serve(self, *options, **more):
        return self.started(Serve(self.dir, *options, **more))

    def started(self, program):
        self.addCleanup(program.end)
        return program

    def ca(self):
        return TestCa(self.dir / "ca")
