"""A mail server that can be odd in every way: what it says, when, and how slowly."""

import socketserver
import threading
from contextlib import contextmanager, suppress
from time import sleep  # what tests put in its place is for others

GOOD = {
    "connect": "220 ready",
    "EHLO": "250-here\r\n250 8BITMIME",
    "MAIL": "250 fine",
    "RCPT": "250 fine",
    "DATA": "354 go on",
    "end of data": "250 taken",
    "QUIT": "221 bye",
}


def drip(handler):
    """Say something every now and then, and never come to an end."""
    while True:
        handler.say(b"250-")
        sleep(0.05)


def flood(handler):
    """Say without end what could be said once."""
    while True:
        handler.say(b"250-and so on\r\n" * 1000)


def drip_tls(handler):
    """Begin the server's part of a TLS handshake, and send that byte by byte."""
    handler.say(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while True:
        handler.say(b"\x03")
        sleep(0.05)


def hang(_handler):
    sleep(5)


def break_off(_handler):
    raise ConnectionAbortedError


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text)

    def answer(self, stage):
        self.server.stages.append(stage)
        odd = self.server.odd.get(stage, [])
        reply = odd.pop(0) if odd else GOOD[stage]
        if callable(reply):
            reply(self)
        else:
            self.say(reply.encode() + b"\r\n")
        return reply

    def handle(self):
        with suppress(OSError):
            self.converse()

    def converse(self):
        self.answer("connect")
        to = []
        while line := self.rfile.readline().decode():
            verb = line[:4].upper()
            self.server.lines.append(line.strip())
            if verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                if self.answer(address if self.server.odd.get(address) else "RCPT") == GOOD["RCPT"]:
                    to.append(address)
            elif verb == "DATA":
                if self.answer("DATA") == GOOD["DATA"]:
                    content = b"".join(iter(self.rfile.readline, b".\r\n"))
                    self.server.received.append((to, content))
                    if self.answer("end of data") == GOOD["end of data"]:
                        self.server.taken.append(to)
                    to = []
            elif self.answer(verb) and verb == "QUIT":
                return


class OddServer(socketserver.ThreadingTCPServer):
    """A server; each connection gets a thread.

    odd:      what it does instead of what is usual, by stage of the conversation or by the address that RCPT names:
              replies, or functions of a session, one after the other
    stages:   what it has come to
    received: (addresses, content) of what was sent to the end
    taken:    the addresses of what it has said 250 to
    """

    allow_reuse_address = daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.port = self.server_address[1]
        self.odd = {}
        self.lines, self.stages, self.received, self.taken = [], [], [], []


@contextmanager
def odd_server():
    with OddServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
