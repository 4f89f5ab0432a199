"""A mail server that speaks SMTP with STARTTLS (RFC 3207), well or badly. Python's standard library
only.

    faulty_smtp.py --cert PEM --key PEM [--max-tls 1.1] [--address 127.0.0.2 --port 2525] BEHAVIOUR

Prints its port on the first line, then serves until killed.
"""

import argparse
import socket
import ssl
import threading
import time


class Session:
    def __init__(self, stream, behaviour, tls):
        self.stream, self.behaviour, self.tls = stream, behaviour, tls
        self.buffer = b""

    def say(self, text):
        self.stream.sendall(text.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.buffer:
            piece = self.stream.recv(4096)
            if not piece:
                raise ConnectionError
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("latin-1").strip()

    def run(self):
        if self.behaviour == "silent":
            self.line()  # never greets; ends when the client goes away
        if self.behaviour == "late":
            time.sleep(0.6)  # against those who cannot wait, as some servers do
        if self.behaviour == "busy":
            return self.say("421 too busy")
        if self.behaviour == "garbage":
            return self.say("good day, this is no SMTP")
        self.say("220 mail.example ESMTP")
        while True:
            self.answer(*self.line().upper().partition(" ")[::2])

    def answer(self, verb, _argument):
        if verb == "EHLO":
            offers = [] if self.behaviour == "no-starttls" else ["STARTTLS"]
            lines = ["mail.example", *offers, "8BITMIME"]
            for text in lines[:-1]:
                self.say("250-" + text)
            self.say("250 " + lines[-1])
        elif verb == "STARTTLS":
            self.start_tls()
        elif verb == "QUIT":
            self.say("221 bye")
            raise ConnectionError
        else:
            self.say("250 ok")

    def start_tls(self):
        if self.behaviour == "refuses":
            return self.say("454 TLS not available due to temporary reason")
        if self.behaviour == "injects":
            # An answer slipped in before the handshake must not count after it (CVE-2021-22947).
            self.stream.sendall(b"220 go ahead\r\n250 injected\r\n")
        else:
            self.say("220 go ahead")
        self.stream = self.tls.wrap_socket(self.stream, server_side=True)
        self.buffer = b""


def serve(raw, behaviour, tls):
    try:
        Session(raw, behaviour, tls).run()
    except (OSError, ValueError):
        pass
    finally:
        raw.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--max-tls", choices=["1.1", "1.2"])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("behaviour")
    options = parser.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.cert, options.key)
    if options.max_tls == "1.1":
        tls.set_ciphers("ALL:@SECLEVEL=0")
        tls.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    if options.max_tls == "1.2":
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server((options.address, options.port), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, options.behaviour, tls), daemon=True).start()


if __name__ == "__main__":
    main()
