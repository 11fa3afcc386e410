"""HTTP in front of the answers and recordings, with faults on demand."""

import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from binotel_core import METHODS, php_json
from common.sandbox.answers import Sandbox
from common.sandbox.version4 import named

# Answers that are not the API's: (HTTP status, type, body).
FOREIGN_ANSWERS = {
    "http-500": (500, "text/html", b"<html><body>Internal Server Error</body></html>"),
    "html": (200, "text/html", b"<html><body>Please log in to the network</body></html>"),
    "not-an-answer": (200, "application/json", b'["success"]'),
    "http-403": (
        403,
        "application/xml",
        b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    ),
    "http-404": (404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>"),
}
FAULTS = (*FOREIGN_ANSWERS, "hang", "cut-body", "bad-signature", "no-signature", "code-104", "code-105", "code-106")
# A download of a recording, under whatever link, goes by this name, and may fail in these ways.
RECORDS = "records"
RECORD_FAULTS = (*FOREIGN_ANSWERS, "hang", "cut-body", "wrong-length", "redirect")


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of a Sandbox (`server.sandbox`)."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/sandbox/faults":
            self._add_fault(body)
        elif match := re.fullmatch(r"/api/(2\.0|4\.0)/([^/]+/[^/]+)\.json", self.path):
            self._answer(match[1], match[2], body)
        else:
            self._send(404, "text/html", b"<html><body>Not Found</body></html>")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/sandbox/requests":
            self._send(200, "application/json", json.dumps(self.server.sandbox.requests).encode())
        elif parts.path.startswith("/records/"):
            self._send_recording(parts.path, parts.query)
        else:
            self._send(404, "text/html", b"<html><body>Not Found</body></html>")

    def _add_fault(self, body: bytes) -> None:
        try:
            wanted = json.loads(body)
            method, fault, count = wanted["method"], wanted["fault"], int(wanted.get("count", 1))
        except (ValueError, TypeError, KeyError):
            method = fault = ""
            count = 0
        if (method in METHODS and fault in FAULTS) or (method == RECORDS and fault in RECORD_FAULTS):
            self.server.sandbox.faults.setdefault(method, []).extend([fault] * count)
            self._send(200, "application/json", b"{}")
        else:
            usage = '{"method": "stats/call-details", "fault": FAULT, "count": 2}, where FAULT is one of: '
            of_records = f"; or, for the method {RECORDS}, one of: {', '.join(RECORD_FAULTS)}"
            self._send(400, "text/plain", f"send {usage}{', '.join(FAULTS)}{of_records}\n".encode())

    def _answer(self, version: str, name: str, body: bytes) -> None:
        sandbox = self.server.sandbox
        arrived = sandbox.clock()
        known = named(name, version)
        method = known or name
        fault = sandbox.take_fault(method)
        time.sleep(sandbox.latency)
        if fault == "hang":
            sandbox.log(arrived, method, 0)
            self._hang()
        elif fault in FOREIGN_ANSWERS:
            status, kind, content = FOREIGN_ANSWERS[fault]
            sandbox.log(arrived, method, status)
            self._send(status, kind, content)
        else:
            if fault.startswith("code-"):
                answer = sandbox.refusal(fault.removeprefix("code-"), "Injected by the sandbox", body, version)
            else:
                answer = sandbox.answer(known, body, version)  # the other version's name is none here
            sandbox.log(arrived, method, int(answer.get("code", 0)))
            if fault == "bad-signature":
                answer["signature"] = "0" * 32
            if fault == "no-signature":
                answer.pop("signature", None)
            self._send(200, "application/json", php_json(answer).encode(), cut=fault == "cut-body")

    def _send_recording(self, path: str, query: str) -> None:
        sandbox = self.server.sandbox
        arrived = sandbox.clock()
        fault = sandbox.take_fault(RECORDS)
        time.sleep(sandbox.latency)
        content = sandbox.recordings.content(path, query)
        wanted = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("Range", ""))
        more = {}
        if fault in FOREIGN_ANSWERS:
            status, kind, body = FOREIGN_ANSWERS[fault]
        elif fault == "redirect":
            status, kind, body, more = 302, "text/plain", b"", {"Location": "http://records.example.com/"}
        elif content is None:
            status, kind, body = FOREIGN_ANSWERS["http-403"]
        elif wanted is None:
            status, kind, body, more = 200, "audio/mpeg", content, {"Accept-Ranges": "bytes"}
        elif int(wanted[1]) >= len(content):
            status, kind, body, more = 416, "application/xml", b"", {"Content-Range": f"bytes */{len(content)}"}
        else:
            status, kind, body = 206, "audio/mpeg", content[int(wanted[1]) : int(wanted[2]) + 1 if wanted[2] else None]
            more = {"Content-Range": f"bytes {wanted[1]}-{int(wanted[1]) + len(body) - 1}/{len(content)}"}
        sandbox.log(arrived, RECORDS, status)
        if fault == "wrong-length":
            more["Content-Length"] = str(len(body) + 1000)
        self._send(status, kind, body, more, cut=fault in ("cut-body", "hang"))
        if fault == "hang":
            self._hang()
        self.close_connection = self.close_connection or fault == "wrong-length"

    def _hang(self) -> None:
        self.server.stopping.wait(3600)
        self.close_connection = True

    def _send(
        self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing on stderr: GET /sandbox/requests is the log."""


class Server(ThreadingHTTPServer):
    """A Sandbox on a port of this machine's own address; port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)
        sandbox.base_url = f"http://127.0.0.1:{self.server_address[1]}/api/2.0"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that goes away is no error of ours
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        self.stopping.set()
        super().server_close()
