"""A call's recording -> a file: whole, or a sentence that says why not."""

import hashlib
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from binotel_core import is_loopback, one_line

CONNECT_TIMEOUT_SECONDS = 15
READ_TIMEOUT_SECONDS = 30
RETRY_PAUSES_SECONDS = (1, 2, 4)  # between tries that bring nothing new
LONGEST_SECONDS = 60  # for a transfer, and one more for each so many bytes; slower than the sound itself is no good
SLOWEST_BYTES_PER_SECOND = 2000
MAX_REDIRECTS = 5
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
    """What is there is not what belongs into the archive, and will not become it."""


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
    """

    def __init__(self, link_of: Callable[[str], str], connections: int, max_bytes: int) -> None:
        self.stop = threading.Event()
        self.received = 0  # bytes, of all downloads: for those who watch
        self._link_of = link_of
        self._max_bytes = max_bytes
        self._counting = threading.Lock()
        # The last one that was given back comes first: its connection is warm.
        self._connections: queue.LifoQueue[_Connection] = queue.LifoQueue()
        for _ in range(connections):
            self._connections.put(_Connection())

    def download(self, call_id: str, file: BinaryIO) -> Content:
        """Write the recording of a call into `file`, which is empty, and tell what it was.

        A link that has expired is asked for anew, a transfer that broke off goes on where it stopped. Raises
        NotThereError, DownloadError, StoppedError; what link_of raises; OSError when the file cannot be written.
        """
        transfer = _Transfer(file, self._max_bytes, self._count)
        most = failures = refusals = 0
        link = self._link(call_id)
        while True:
            try:
                with self._connection() as connection:
                    # Anew only now: in the queue for a connection a link grows old.
                    link = link or self._link(call_id)
                    transfer.go_on(connection, link)
                return Content(transfer.received, transfer.digest.hexdigest())
            except _BrokenError as error:
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
        self._server: tuple[str, str] | None = None

    def get(self, link: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer to a request for the link, not read yet. Raises what requests and urllib3 raise."""
        parts = urlsplit(link)
        server = parts.scheme, parts.netloc
        if server != self._server:
            self._server = None
            self._find_way(link, parts.hostname or "")
            self._server = server
        return self._pool.urlopen(
            "GET",
            urllib3.util.parse_url(link).request_uri,
            headers=self._headers | headers,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _find_way(self, link: str, host: str) -> None:
        """Through which proxy, trusting which certificates, with which headers."""
        session = requests.Session()
        # A proxy from the environment cannot reach this machine's own addresses.
        session.trust_env = not is_loopback(host)
        way = session.merge_environment_settings(link, {}, None, None, None)
        request = requests.Request("GET", link, {**session.headers, "Accept-Encoding": "identity"}).prepare()
        pool: Any = self.get_connection_with_tls_context(request, way["verify"], way["proxies"], way["cert"])
        self.cert_verify(pool, link, way["verify"], way["cert"])  # type: ignore[no-untyped-call]
        self._pool: urllib3.HTTPConnectionPool = pool
        self._headers = dict(request.headers)


class _Transfer:
    """A recording on its way into a file: how much of it is there, and what it must become."""

    def __init__(self, file: BinaryIO, max_bytes: int, count: Callable[[int], None]) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._count = count
        self._etag = ""
        self.received = 0
        self._begin_anew(None)

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
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
            if self._etag:
                headers["If-Range"] = self._etag
        with closing(self._get(connection, link, headers)) as response:
            self._check(response, urlsplit(link).hostname or "")
            self._receive(response)

    def _get(self, connection: _Connection, link: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer to a request for the link, redirects followed to where they may lead."""
        for _ in range(MAX_REDIRECTS + 1):
            host = _checked_host(link)
            try:
                response = connection.get(link, headers)
                target = response.get_redirect_location()
                if not target:
                    return response
                response.close()
                is_secure = link.startswith("https:")
                link = urljoin(link, target)
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
                raise _BrokenError(f"{host} cannot be reached: {_reason(error)}.") from error
            except ValueError:  # of a host's name, or of where a redirect leads
                raise DownloadError(f"The link, or what {host} redirects to, is no address.") from None
            if is_secure and not link.startswith("https:"):
                raise DownloadError(f"{host} redirects off https, which is not followed.")
        raise DownloadError(f"{host} redirects without end.")

    def _check(self, response: urllib3.BaseHTTPResponse, host: str) -> None:
        """Look at what the answer says of itself, and make ready for it."""
        status = response.status
        size = response.headers.get("Content-Length", "")
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
        if self.total is None:
            raise DownloadError(f"{host} does not say how long the recording is.")
        if self.total > self._max_bytes:
            raise UnfitError(
                f"It has {self.total / MEGABYTE:.1f} MB, more than RECORD_MAX_MB={self._max_bytes // MEGABYTE} allows."
            )
        if not self.total:
            raise NotThereError

    def _receive(self, response: urllib3.BaseHTTPResponse) -> None:
        assert self.total is not None  # noqa: S101 - for mypy: _check() has seen to it
        deadline = time.monotonic() + LONGEST_SECONDS + self.total / SLOWEST_BYTES_PER_SECOND
        while self.received < self.total:
            if time.monotonic() > deadline:
                raise UnreachableError(f"It comes too slowly: {self.received} of {self.total} bytes.")
            missing = self.total - self.received
            try:
                # read1() takes what has arrived, so that a break loses nothing; the start is needed as a whole.
                read, most = (response.read1, CHUNK_BYTES) if self.received else (response.read, START_BYTES)
                chunk = read(min(most, missing))
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _BrokenError(f"The transfer broke off: {_reason(error)}.") from error
            if not chunk:
                raise _BrokenError(f"The transfer broke off after {self.received} of {self.total} bytes.")
            if not self.received and not _is_mp3(chunk):
                start = one_line(chunk[:60].decode("latin-1"))
                problem = f"What came is no MP3: it begins with {start!r}."
                # A page of a network that wants a login says nothing of the recording; a fax is what it is.
                raise DownloadError(problem) if chunk.lstrip()[:1] in (b"<", b"{") else UnfitError(problem)
            self._file.write(chunk)
            self.digest.update(chunk)
            self.received += len(chunk)
            self._count(len(chunk))


def _checked_host(link: str) -> str:
    """The host that a link leads to. Raises DownloadError unless it is https://, or http:// to this machine itself."""
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        raise DownloadError("The link to it is no address.") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise DownloadError(
            f"The link to it leads to {one_line(parts.scheme)}://{one_line(host)}, and only https is trusted."
        )
    return host


def _is_mp3(start: bytes) -> bool:
    """Whether a file that begins so is an MP3: with an ID3 tag, or with a frame of sound."""
    return start.startswith(b"ID3") or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2)


def _reason(error: BaseException) -> str:
    """Why a connection failed, in a few words and without the link, which holds a signature."""
    text = repr(error)
    for sign, reason in (
        ("ReadTimeout", f"nothing came for {READ_TIMEOUT_SECONDS:g} s"),
        ("ConnectTimeout", f"no connection within {CONNECT_TIMEOUT_SECONDS:g} s"),
        ("NameResolutionError", "its name cannot be resolved"),
        ("refused", "it refused the connection"),
        ("SSL", "no secure connection; check the computer's clock and its certificates"),
        ("ProxyError", "the proxy failed; check HTTPS_PROXY"),
    ):
        if sign in text:
            return reason
    return "the connection broke off"
