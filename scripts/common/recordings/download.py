"""A call's recording -> a file: whole, or a sentence that says why not."""

import hashlib
import http.client
import io
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import Any, BinaryIO
from urllib.parse import urljoin

import requests
import urllib3
from urllib3.util import Url, parse_url

from binotel_core import is_loopback, one_line

CONNECT_TIMEOUT_SECONDS = 15
READ_TIMEOUT_SECONDS = 30
RETRY_PAUSES_SECONDS = (1, 2, 4)  # between tries that bring nothing new
# As long as a recording may take, or as its bytes take at this speed, if that is longer.
LONGEST_SECONDS = 300
SLOWEST_BYTES_PER_SECOND = 20_000
MAX_REDIRECTS = 5
MAX_LINE_BYTES = 10_000  # of a line between the chunks of an answer
CHUNK_BYTES = 256 * 1024
START_BYTES = 100
MEGABYTE = 1_000_000


class NotThereError(Exception):
    """There is no recording, or none yet."""


class DownloadError(Exception):
    """The recording could not be had: a sentence with the reason. A later try may do better."""


class StoppedError(Exception):
    """The job is being stopped."""


class UnfitError(DownloadError):
    """What is there is not what belongs into the archive; if it is `kind` of thing again and again, it never will be.

    kind: the same for what is refused in the same way
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class UnreachableError(DownloadError):
    """All tries failed in ways that others may fail in, too: the network, the server."""


class RefusedError(UnreachableError):
    """The store refuses a link that is fresh: so it may answer for what is not there yet, or for everything."""


class _BrokenError(DownloadError):
    """This try failed; the next one may go on where it stopped."""


class _RefusedLinkError(_BrokenError):
    """HTTP 403: the link has expired, or leads to nothing. `is_store` tells whether it is the store that says so."""

    def __init__(self, message: str, *, is_store: bool) -> None:
        super().__init__(message)
        self.is_store = is_store


@dataclass(frozen=True)
class Content:
    """What was downloaded."""

    size: int
    sha256: str


class Downloader:
    """Downloads recordings, over so many connections at once; threads share it.

    link_of:     gives a link to the recording of a callID, or "" when there is none; may raise anything
    connections: how many downloads may go on at once; more threads than these ask for links and write to disk meanwhile
    max_bytes:   what is larger is not downloaded
    https_only:  whether http is refused even to this machine itself, where the sandbox is
    """

    def __init__(
        self, link_of: Callable[[str], str], connections: int, max_bytes: int, *, https_only: bool = False
    ) -> None:
        self.stop = threading.Event()
        self.received = 0  # bytes, of all downloads: for those who watch
        self._link_of = link_of
        self._max_bytes = max_bytes
        self._https_only = https_only
        self._counting = threading.Lock()
        # The last one that was given back comes first: its connection is warm.
        self._connections: queue.LifoQueue[_Connection] = queue.LifoQueue()
        for _ in range(connections):
            self._connections.put(_Connection())

    def download(self, call_id: str, file: BinaryIO) -> Content:
        """Write the recording of a call into `file`, which is empty, and tell what it was.

        A link that has expired is asked for anew, a transfer that broke off goes on where it stopped, as long as there
        is time. Raises NotThereError, DownloadError, StoppedError; what link_of raises; OSError when the file cannot be
        written.
        """
        most = failures = refusals = 0
        link = self._link(call_id)
        transfer = _Transfer(file, self._max_bytes, self._count, https_only=self._https_only)
        while True:
            queued = time.monotonic()
            try:
                with self._connection() as connection:
                    transfer.began += time.monotonic() - queued
                    # Anew only now: in the queue for a connection a link grows old.
                    link = link or self._link(call_id)
                    transfer.go_on(connection, link)
                return Content(transfer.received, transfer.digest.hexdigest())
            except _BrokenError as error:
                if time.monotonic() >= transfer.deadline:
                    raise UnreachableError(transfer.too_slow) from error
                if transfer.received > most:
                    most, failures, refusals = transfer.received, 0, 0
                failures += 1
                if isinstance(error, _RefusedLinkError):
                    refusals += 1
                    if refusals > 1 and error.is_store:
                        raise RefusedError(str(error)) from error
                    link = ""
                if failures > len(RETRY_PAUSES_SECONDS):
                    raise UnreachableError(str(error)) from error
                if link:
                    self.stop.wait(RETRY_PAUSES_SECONDS[failures - 1])

    def _link(self, call_id: str) -> str:
        if self.stop.is_set():
            raise StoppedError
        link = self._link_of(call_id)
        if not link:
            raise NotThereError
        return link

    @contextmanager
    def _connection(self) -> Iterator["_Connection"]:
        connection = self._connections.get()
        try:
            if self.stop.is_set():
                raise StoppedError
            yield connection
        finally:
            self._connections.put(connection)

    def _count(self, size: int) -> None:
        if self.stop.is_set():
            raise StoppedError
        with self._counting:
            self.received += size


class _Connection(requests.adapters.HTTPAdapter):
    """A connection, kept open: requests says how a server is reached, and urllib3 asks it.

    What requests does besides, anew for each request, takes Python longer than to receive a recording.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server = ""
        self.deadline: float  # on the monotonic clock, of whoever has the connection
        self.answer: _Answer  # the last one

    def get(self, url: Url, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer to a request for a checked link, not read yet. Raises what requests and urllib3 raise."""
        # No more than this of the link is read by a second parser.
        server = f"{url.scheme}://{url.netloc}/"
        if server != self._server:
            self._server = ""
            self._find_way(server, url)
            self._server = server
        left = max(0.1, self.deadline - time.monotonic())
        return self._pool.urlopen(
            "GET",
            url.request_uri,
            headers=self._headers | headers,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, left), read=min(READ_TIMEOUT_SECONDS, left)),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _find_way(self, server: str, url: Url) -> None:
        """Through which proxy, trusting which certificates, with which headers."""
        session = requests.Session()
        # A proxy from the environment cannot reach this machine's own addresses.
        session.trust_env = not is_loopback(_host(url))
        way = session.merge_environment_settings(server, {}, None, None, None)
        request = requests.Request("GET", server, {**session.headers, "Accept-Encoding": "identity"}).prepare()
        pool: Any = self.get_connection_with_tls_context(request, way["verify"], way["proxies"], way["cert"])
        self.cert_verify(pool, server, way["verify"], way["cert"])  # type: ignore[no-untyped-call]
        kind = pool.ConnectionCls
        if kind.response_class is http.client.HTTPResponse:
            pool.ConnectionCls = type(kind.__name__, (kind,), {"response_class": partial(_Answer, self)})
        self._pool: urllib3.HTTPConnectionPool = pool
        self._headers = dict(request.headers)


class _Answer(http.client.HTTPResponse):
    """An answer, of a proxy or of the server, that is read only as long as there is time."""

    def __init__(self, connection: _Connection, sock: socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = _Lines(_Timed(sock, self.fp, connection))
        connection.answer = self


class _Timed(io.RawIOBase):
    """What a socket receives. Its own timeout begins anew with each byte, so time is looked at before each wait."""

    def __init__(self, sock: socket, file: io.BufferedReader, connection: _Connection) -> None:
        self._sock = sock
        self._file = file  # that of the socket, which it counts as open
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._connection.deadline - time.monotonic()
        if left < READ_TIMEOUT_SECONDS:
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Lines(io.BufferedReader):
    """Whole lines: http.client takes one that was cut off for what it begins with, which makes 1000 bytes of 10000."""

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if line and not line.endswith(b"\n") and len(line) != size:
            raise ConnectionError("a line was cut off")
        return line


class _Chunks(io.RawIOBase):
    """The content of an answer that is sent in chunks, up to its end marker; raises OSError where it is not whole.

    http.client and urllib3 take more than one form of what is cut off for whole.
    """

    def __init__(self, incoming: io.BufferedReader) -> None:
        self._incoming = incoming
        self._left: int | None = 0  # of a chunk; None when the end marker has come

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left == 0:
            self._begin()
        if self._left is None:
            return 0
        content = self._incoming.read1(min(self._left, len(buffer)))
        if not content:
            raise ConnectionError("it ended within a chunk")
        buffer[: len(content)] = content
        self._left -= len(content)
        if not self._left and self._incoming.read(2) != b"\r\n":
            raise ConnectionError("a chunk is longer than it says")
        return len(content)

    def _begin(self) -> None:
        size = re.fullmatch(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r\n", self._line())
        if size is None:
            raise ConnectionError("it ended between chunks")
        self._left = int(size[1], 16) or None
        while self._left is None and self._line() not in (b"\r\n", b""):
            pass  # what follows on the end says nothing that is needed, and some leave even the empty line out

    def _line(self) -> bytes:
        return self._incoming.readline(MAX_LINE_BYTES)


class _Transfer:
    """A recording on its way into a file: how much of it is there, and what it must become."""

    def __init__(self, file: BinaryIO, max_bytes: int, count: Callable[[int], None], *, https_only: bool) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._count = count
        self._https_only = https_only
        self._etag = self._host = ""
        self.began = time.monotonic()
        self.received = 0
        self._begin_anew(None)

    @property
    def longest(self) -> float:
        return most_seconds(self.total or self.received)

    @property
    def deadline(self) -> float:
        return self.began + self.longest

    @property
    def too_slow(self) -> str:
        """What to say when no seconds are left."""
        of = "" if self.total is None else f" of {self.total}"
        limit = f"{self.longest:.0f} s, the limit for its size, all tries together"
        return f"It takes longer than {limit}: {self.received}{of} bytes came."

    def _begin_anew(self, total: int | None) -> None:
        if self.received:
            self._file.seek(0)
            self._file.truncate()
        self.received = 0
        self.total = total
        self.digest = hashlib.sha256()

    def go_on(self, connection: _Connection, link: str) -> None:
        """Receive what is missing.

        Raises NotThereError, DownloadError, StoppedError, and _BrokenError when it may be called again.
        """
        headers = {}
        connection.deadline = self.deadline
        if self.received and self.total is not None:
            headers["Range"] = f"bytes={self.received}-"
            if self._etag:
                headers["If-Range"] = self._etag
        with closing(self._get(connection, link, headers)) as response:
            self._check(response)
            connection.deadline = self.deadline  # now that its size is known
            self._receive(response, connection)

    def _get(self, connection: _Connection, link: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer to a request for the link, redirects followed to where they may lead."""
        what, is_secure = "The link to it", self._https_only
        for _ in range(MAX_REDIRECTS + 1):
            url = _checked(link, what, https_only=is_secure)
            self._host = _host(url)
            what = f"The link, or what {self._host} redirects to,"
            is_secure = url.scheme == "https"  # from then on
            try:
                response = connection.get(url, headers)
                target = response.get_redirect_location()
                if not target:
                    return response
                response.close()
                # A second parser joins the two, so it must not get what it may read in its own way.
                link = target if _STRANGE.search(target) else urljoin(url.url, target)
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
                raise _BrokenError(f"{self._host} cannot be reached: {_reason(error)}.") from error
            except ValueError:  # of a host's name, or of where a redirect leads
                raise DownloadError(f"{what} is no address.") from None
        raise DownloadError(f"{self._host} redirects without end.")

    def _check(self, response: urllib3.BaseHTTPResponse) -> None:
        """Look at what the answer says of itself, and make ready for it."""
        status, host = response.status, self._host
        size = "" if response.chunked else response.headers.get("Content-Length", "")
        length = int(size) if re.fullmatch("[0-9]{1,15}", size) else None
        if status == requests.codes.ok:
            self._begin_anew(length)
            etag = response.headers.get("ETag", "")
            self._etag = "" if etag.startswith("W/") else etag
        elif status == requests.codes.partial_content and self.received:
            part = re.fullmatch("bytes ([0-9]+)-[0-9]+/([0-9]+)", response.headers.get("Content-Range", ""))
            if part is None or int(part[1]) != self.received or int(part[2]) != self.total:
                self._begin_anew(None)
                raise _BrokenError(f"{host} sends a part that does not fit what came before it.")
        elif status == requests.codes.requested_range_not_satisfiable:
            self._begin_anew(None)
            raise _BrokenError(f"{host} sent fewer bytes than it had said.")
        elif status in (requests.codes.not_found, requests.codes.gone):
            raise NotThereError
        elif status == requests.codes.forbidden:
            try:
                is_store = b"<Error>" in response.read(1000)
            except urllib3.exceptions.HTTPError:
                is_store = False
            raise _RefusedLinkError(f"{host} refuses the link (HTTP 403).", is_store=is_store)
        elif status == requests.codes.too_many_requests or status >= requests.codes.server_error:
            raise _BrokenError(f"{host} answers with HTTP {status}.")
        else:
            raise DownloadError(f"{host} answers with HTTP {status}.")
        if self.total is None and not response.chunked:
            raise DownloadError(f"{host} does not say how long the recording is.")
        self._check_size(self.total or 0)
        if self.total == 0:
            raise NotThereError

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            has = "" if self.total is None else f"{self.total / MEGABYTE:.1f} MB, "
            most = f"RECORD_MAX_MB={self._max_bytes // MEGABYTE}"
            raise UnfitError(f"It has {has}more than {most} allows.", most)

    def _receive(self, response: urllib3.BaseHTTPResponse, connection: _Connection) -> None:
        source: Any = io.BufferedReader(_Chunks(connection.answer.fp), CHUNK_BYTES) if response.chunked else response
        while self.received != self.total:
            # read1() takes what has arrived, so that a break loses nothing; the start is needed as a whole.
            read, most = (source.read1, CHUNK_BYTES) if self.received else (source.read, START_BYTES)
            try:
                chunk = read(most if self.total is None else min(most, self.total - self.received))
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _BrokenError(f"The transfer broke off: {_reason(error)}.") from error
            if not chunk:
                if self.total is None:
                    self.total = self.received  # the end marker has come; so another request may follow
                    connection.answer.close()
                    response.release_conn()
                    break
                raise _BrokenError(f"The transfer broke off after {self.received} of {self.total} bytes.")
            if not self.received and not _is_mp3(chunk):
                start = one_line(chunk[:60].decode("latin-1"))
                problem = f"What came is no MP3: it begins with {start!r}."
                # A page of a network that wants a login says nothing of the recording; a fax is what it is.
                is_page = chunk.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{")
                raise DownloadError(problem) if is_page else UnfitError(problem, f"no MP3: {chunk[:4].hex()}")
            self._check_size(self.received + len(chunk))
            self._file.write(chunk)
            self.digest.update(chunk)
            self.received += len(chunk)
            if self.total is None:
                connection.deadline = self.deadline
            self._count(len(chunk))
        if not self.total:
            raise NotThereError


# What parsers of addresses read in more than one way: white space, control characters, backslashes.
_STRANGE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")


def _checked(link: str, what: str, *, https_only: bool) -> Url:
    """The link, as it is then asked for. Raises DownloadError unless it is https://, or http:// to this machine itself.

    what: what the link is, the beginning of a sentence
    """
    server = re.split("[/?#]", link.partition("://")[2], maxsplit=1)[0]
    if _STRANGE.search(link) or not link.isprintable() or "@" in server:
        raise DownloadError(f"{what} is no address: there is a backslash, a user's name, or nothing to be seen in it.")
    try:
        url = parse_url(link)
    except urllib3.exceptions.LocationParseError:
        raise DownloadError(f"{what} is no address.") from None
    is_trusted = url.scheme == "https" or (url.scheme == "http" and is_loopback(_host(url)) and not https_only)
    if not url.host or not is_trusted:
        where = one_line(f"{url.scheme or ''}://{_host(url)}")
        raise DownloadError(f"The link to it leads to {where}, and only https is trusted.")
    return url


def _host(url: Url) -> str:
    return (url.host or "").strip("[]")


def most_seconds(size: int) -> float:
    """As long as a recording of so many bytes may take, with all tries."""
    return max(LONGEST_SECONDS, size / SLOWEST_BYTES_PER_SECOND)


def _is_mp3(start: bytes) -> bool:
    """Whether a file that begins so is an MP3: with an ID3 tag, or with a frame of sound."""
    return start.startswith(b"ID3") or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2)


def _reason(error: BaseException) -> str:
    """Why a connection failed, in a few words and without the link, which holds a signature."""
    text = repr(error)
    for sign, reason in (
        ("ConnectTimeout", f"no connection within {CONNECT_TIMEOUT_SECONDS:g} s"),
        ("TimeoutError", f"nothing came for {READ_TIMEOUT_SECONDS:g} s"),
        ("NameResolutionError", "its name cannot be resolved"),
        ("refused", "it refused the connection"),
        ("SSL", "no secure connection; check the computer's clock and its certificates"),
        ("ProxyError", "the proxy failed; check HTTPS_PROXY"),
    ):
        if sign in text:
            return reason
    return "the connection broke off"
