"""One recording: what is trusted, what goes on where it stopped, what is refused, and in which words."""

import hashlib
import io
import re
import socketserver
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from common.recordings import download
from common.recordings.download import (
    Content,
    Downloader,
    DownloadError,
    NotThereError,
    RefusedError,
    StoppedError,
    UnfitError,
    UnreachableError,
)
from common.recordings.threads import in_threads

MP3 = b"ID3" + bytes(range(256)) * 100
XML = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


@pytest.fixture
def server(monkeypatch):
    """A server that gives prepared answers, (status, headers, body), and notes the Range of each request."""
    monkeypatch.setattr(download, "RETRY_PAUSES_SECONDS", (0.001, 0.001, 0.001))
    monkeypatch.setattr(download, "READ_TIMEOUT_SECONDS", 0.3)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.ranges.append(self.headers.get("Range"))
            status, headers, body = self.server.answers.pop(0)
            self.send_response(status)
            for name, value in ({"Content-Length": len(body)} | headers).items():
                if value is not None:
                    self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers, server.ranges = [], []
        server.link = f"http://127.0.0.1:{server.server_address[1]}/744924436.mp3?Signature=SECRET"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fetch(server):
    """A function that downloads what the server answers; (content, what the file holds)."""

    def fetch(*answers, max_bytes=10**6):
        server.answers += answers
        file = io.BytesIO()
        content = Downloader(lambda _: server.link, 1, max_bytes).download("744924436", file)
        assert server.answers == []
        return content, file.getvalue()

    return fetch


@pytest.fixture
def proxy(monkeypatch):
    """The environment's proxy, which wants a password and is itself what it leads to, vouched for by `authority`."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("records.example.com").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.server.seen.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_response(200)
            self.end_headers()
            with suppress(OSError), context.wrap_socket(self.connection, server_side=True) as inside:
                while asked := inside.recv(10000):
                    self.server.seen.append(asked.partition(b"\r\n")[0])
                    inside.sendall(self.server.answer)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.authority = [], authority
        server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(MP3), MP3)
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@127.0.0.1:{server.server_address[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def whole(content=MP3):
    return Content(len(content), hashlib.sha256(content).hexdigest()), content


def part(start, content=MP3, total=None):
    headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{total or len(content)}"}
    return 206, headers, content[start:]


def cut(size, content=MP3, **headers):
    return 200, {"Content-Length": len(content)} | headers, content[:size]


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(fetch, server):
    assert (
        fetch(cut(1000), (206, part(1000)[1] | {"Content-Length": len(MP3) - 1000}, MP3[1000:2000]), part(2000))
        == whole()
    )
    assert server.ranges == [None, "bytes=1000-", "bytes=2000-"]


def test_a_server_that_knows_no_ranges_sends_it_anew(fetch):
    assert fetch(cut(1000), (200, {}, MP3)) == whole()


def test_a_part_of_another_file_is_not_put_behind_the_first(fetch):
    other = MP3[::-1] + MP3
    assert fetch(cut(1000), part(1000, other), (200, {}, MP3)) == whole()
    assert fetch(cut(1000), part(500), (200, {}, MP3)) == whole()


def test_a_part_that_cannot_be_had_begins_anew(fetch):
    assert fetch(cut(1000), (416, {}, b""), (200, {}, MP3)) == whole()


def test_a_length_that_stays_wrong_is_told_in_the_end(fetch):
    long = {"Content-Length": len(MP3) + 50}
    with pytest.raises(UnreachableError, match="sent fewer bytes than it had said"):
        fetch((200, long, MP3), (416, {}, b""), (200, long, MP3), (416, {}, b""))


def test_an_expired_link_is_asked_for_anew_in_the_middle(fetch):
    assert fetch(cut(1000), (403, {}, XML), part(1000)) == whole()


def test_a_fresh_link_that_the_store_refuses_is_neither_there_nor_missing(fetch):
    with pytest.raises(RefusedError):
        fetch((403, {}, XML), (403, {}, XML))


@pytest.mark.parametrize("answers", [[(404, {}, b"")], [(410, {}, b"")], [(200, {}, b"")]])
def test_what_is_not_there_is_known(answers, fetch):
    with pytest.raises(NotThereError):
        fetch(*answers)


def test_what_something_else_refuses_is_not_taken_for_missing(fetch):
    with pytest.raises(UnreachableError, match=re.escape("127.0.0.1 refuses the link (HTTP 403).")):
        fetch(*[(403, {}, b"<html>blocked by the firewall")] * 4)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {}, b"<html>log in"), "What came is no MP3: it begins with '<html>log in'."),
        ((200, {"Content-Length": None}, MP3), "127.0.0.1 does not say how long the recording is."),
        ((200, {"Content-Length": 2_000_001}, MP3), "It has 2.0 MB, more than RECORD_MAX_MB=1 allows."),
        ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08\x00"), "What came is no MP3: it begins with '\x1f"),
        ((400, {}, b""), "127.0.0.1 answers with HTTP 400."),
        ((302, {"Location": "http://example.com/x?Signature=SECRET"}, b""), "leads to http://example.com, and only"),
        ((302, {"Location": "ftp://example.com/"}, b""), "leads to ftp://example.com, and only https is trusted."),
        ((302, {"Location": "http://[::1"}, b""), "The link, or what 127.0.0.1 redirects to, is no address."),
    ],
)
def test_what_cannot_be_a_recording_is_refused_at_once(answer, message, fetch):
    with pytest.raises(DownloadError) as caught:
        fetch(answer)
    assert message.replace("\x1f", "") in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_redirects_are_followed_but_not_for_ever(fetch, server):
    there = (302, {"Location": server.link}, b"")
    assert fetch(there, there, (200, {}, MP3)) == whole()
    with pytest.raises(DownloadError, match="redirects without end"):
        fetch(*[there] * 6)


def test_a_trouble_that_stays_is_told_without_the_link(fetch):
    with pytest.raises(UnreachableError) as caught:
        fetch(*[(503, {}, b"")] * 4)
    assert str(caught.value) == "127.0.0.1 answers with HTTP 503."


def test_a_server_that_is_not_there_is_told_without_the_link(server):
    downloader = Downloader(lambda _: "http://127.0.0.1:9/x.mp3?Signature=SECRET", 1, 10**6)
    with pytest.raises(UnreachableError) as caught:
        downloader.download("1", io.BytesIO())
    assert str(caught.value) == "127.0.0.1 cannot be reached: it refused the connection."


def test_the_environments_proxy_and_authorities_are_used_and_one_connection_is_kept(proxy, monkeypatch, tmp_path):
    proxy.authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    downloader = Downloader(lambda call_id: f"https://records.example.com/{call_id}.mp3?Signature=a%2Fb#x", 1, 10**6)
    assert [downloader.download(call_id, io.BytesIO()) for call_id in ("1", "2")] == [whole()[0]] * 2
    assert proxy.seen == [
        ("records.example.com:443", "Basic dXNlcjpwYXNz"),
        b"GET /1.mp3?Signature=a%2Fb HTTP/1.1",
        b"GET /2.mp3?Signature=a%2Fb HTTP/1.1",
    ]


def test_a_certificate_that_nobody_vouches_for_is_refused(proxy, monkeypatch):
    monkeypatch.setattr(download, "RETRY_PAUSES_SECONDS", (0.001,))
    with pytest.raises(UnreachableError) as caught:
        Downloader(lambda _: "https://records.example.com/1.mp3?Signature=SECRET", 1, 10**6).download("1", io.BytesIO())
    assert str(caught.value) == (
        "records.example.com cannot be reached: no secure connection; check the computer's clock and its certificates."
    )
    assert proxy.seen == [("records.example.com:443", "Basic dXNlcjpwYXNz")] * 2


ELSEWHERE = [
    "http://records.example.com/x.mp3",
    "http://localhost.example.com/x.mp3",
    "http://localhost./x.mp3",
    "http://0x7f.1/x.mp3",
    "http://127.1/x.mp3",
    "http://2130706433/x.mp3",
    "http://127.0.0.1.example.com/x.mp3",
    "http://127.0.0.1%2eexample.com/x.mp3",
    "http://[::2]/x.mp3",
    "HTTP://records.example.com/x.mp3",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x.mp3",
    "https:/127.0.0.1/x.mp3",
    "https:127.0.0.1/x.mp3",
    "https:///127.0.0.1/x.mp3",
    "https://",
    "x.mp3",
]
NO_ADDRESS = [
    "http://192.0.2.2:8000\\@127.0.0.1/x.mp3",
    "http://127.0.0.1\\@192.0.2.2/x.mp3",
    "http://127.0.0.1\\.example.com/x.mp3",
    "https:\\\\127.0.0.1/x.mp3",
    "https://user@127.0.0.1/x.mp3",
    "http://127.0.0.1:80@192.0.2.2/x.mp3",
    "https://@127.0.0.1/x.mp3",
    "ht\ttps://127.0.0.1/x.mp3",
    "htt\nps://127.0.0.1/x.mp3",
    " https://127.0.0.1/x.mp3",
    "https://127.0.0.1/x.mp3\r\nHost: example.com",
    "https://127.0.0.1 .example.com/x.mp3",
    "https://127.0.0.1\N{NO-BREAK SPACE}/x.mp3",
    "https://127.0.0.1\N{ZERO WIDTH SPACE}/x.mp3",
    "https://127.0.0.1\0/x.mp3",
    "https://127.0.0.1%00/x.mp3",
    "https://127.0.0.1\N{IDEOGRAPHIC FULL STOP}example.com/x.mp3",
    "https://[::1/x.mp3",
    "https://[::1].example.com/x.mp3",
    "https://127.0.0.1:99999/x.mp3",
    "https://127.0.0.1:8o/x.mp3",
]


@pytest.mark.parametrize("link", [*ELSEWHERE, *NO_ADDRESS])
def test_a_link_that_leads_elsewhere_or_can_be_read_in_two_ways_is_not_followed(link, server):
    words = "only https is trusted" if link in ELSEWHERE else "^The link to it is no address"
    with pytest.raises(DownloadError, match=words):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())
    assert server.ranges == []


# What leads to the server itself when it stands in a redirect, or cannot stand in a header.
BELOW = re.compile(r"https:(/?|///.*|/?127.*)|x.mp3| .*|.*[^\x00-\xff].*|.*\n.*", re.DOTALL)


@pytest.mark.parametrize("target", [link for link in [*ELSEWHERE, *NO_ADDRESS] if not BELOW.fullmatch(link)])
def test_a_redirect_is_looked_at_as_a_link_is(target, fetch, server):
    there = (302, {"Location": server.link}, b"")
    words = "only https is trusted" if target in ELSEWHERE else "^The link, or what 127[.]0[.]0[.]1 redirects to, is no"
    with pytest.raises(DownloadError, match=words):
        fetch(there, (302, {"Location": target}, b""))
    assert len(server.ranges) == 2


@pytest.mark.parametrize("target", ["/y.mp3", "y.mp3?a=b", "?a=b", "//127.0.0.1:{}/y.mp3", "HTTP://LOCALHOST:{}/y"])
def test_a_redirect_may_be_written_in_any_way(target, fetch, server):
    target = target.format(server.server_address[1])
    assert fetch((302, {"Location": target}, b""), (307, {"Location": target}, b""), (200, {}, MP3)) == whole()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_http_is_refused_even_to_this_machine_where_the_api_is_https(host, monkeypatch):
    monkeypatch.setattr(download, "RETRY_PAUSES_SECONDS", (0.001,))
    link = f"http://{host}:9/x.mp3"
    with pytest.raises(
        DownloadError, match=re.escape(f"leads to http://{host.strip('[]')}, and only https is trusted")
    ):
        Downloader(lambda _: link, 1, 10**6, https_only=True).download("1", io.BytesIO())
    with pytest.raises(UnreachableError, match="it refused the connection"):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())


def test_a_redirect_off_https_is_not_followed(proxy, monkeypatch, server, tmp_path):
    proxy.authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    proxy.answer = f"HTTP/1.1 302 Found\r\nLocation: {server.link}\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(DownloadError, match=re.escape("leads to http://127.0.0.1, and only https is trusted")):
        Downloader(lambda _: "https://records.example.com/1.mp3", 1, 10**6).download("1", io.BytesIO())
    assert server.ranges == []


# --- An end in time and size -------------------------------------------------


@pytest.fixture
def raw(monkeypatch):
    """A function that starts a server which does with each connection what it is told; returns its link."""
    monkeypatch.setattr(download, "RETRY_PAUSES_SECONDS", (0.001, 0.001, 0.001))
    monkeypatch.setattr(download, "LONGEST_SECONDS", 0.25)
    servers = []

    def raw(do, scheme="http"):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with suppress(OSError):
                    do(self.request)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.block_on_close = True, False
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"{scheme}://127.0.0.1:{server.server_address[1]}/x.mp3"

    yield raw
    for server in servers:
        server.shutdown()
        server.server_close()


HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status": (b"", b"H"),
    "header": (HEAD + b"X-A: ", b"a"),
    "headers": (HEAD, b"X-A: a\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "start": (HEAD + b"Content-Length: 1000\r\n\r\n", b"I"),
    "body": (HEAD + b"Content-Length: 1000\r\n\r\n" + MP3[:500], b"I"),
    "chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + MP3[:500], b"I"),
    "chunk's size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nID3\r\n", b"1\r\nI\r\n"),
    "trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nID3\r\n0\r\n", b"X-A: a\r\n"),
    "refusal": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n", b"a"),
}


@pytest.mark.parametrize("kind", DRIPS)
def test_a_server_that_sends_a_byte_now_and_then_holds_nobody_for_longer_than_a_recording_may_take(kind, raw):
    first, drop = DRIPS[kind]

    def drip(connection):
        connection.recv(10000)
        connection.sendall(first)
        while True:
            time.sleep(0.04)
            connection.sendall(drop)

    link, began = raw(drip), time.monotonic()
    with pytest.raises(
        UnreachableError, match=r"^It takes longer than 0 s, the limit for its size, all tries together"
    ):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())
    assert time.monotonic() - began < 1


def test_a_server_that_breaks_off_after_each_byte_holds_nobody_for_longer(raw):
    sent = []

    def one_more_byte(connection):
        asked = re.search(rb"Range: bytes=([0-9]+)-", connection.recv(10000))
        start = int(asked[1]) if asked else 0
        sent.append(start)
        part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-999/1000\r\n" % start if asked else HEAD
        connection.sendall(part + b"Content-Length: %d\r\n\r\n" % (1000 - start) + b"ID3"[start : start + 3] + b"x")

    link = raw(one_more_byte)
    with pytest.raises(UnreachableError, match="It takes longer"):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())
    assert len(sent) > 5


@pytest.mark.parametrize("way", ["handshake", "proxy"])
def test_neither_a_handshake_nor_a_proxy_that_drips_holds_anybody_for_longer(way, raw, monkeypatch):
    def drip(connection):
        connection.recv(10000)
        connection.sendall(b"\x16\x03\x03\x40\x00" if way == "handshake" else b"HTTP/1.1 200 OK\r\n")
        while True:
            time.sleep(0.04)
            connection.sendall(b"\x02" if way == "handshake" else b"X-A: a\r\n")

    link = raw(drip, "https")
    if way == "proxy":
        monkeypatch.setenv("HTTPS_PROXY", link.replace("https", "http"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        link = "https://records.example.com/x.mp3"
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="It takes longer"):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())
    assert time.monotonic() - began < 1


def test_a_large_recording_has_more_time(raw, monkeypatch):
    monkeypatch.setattr(download, "SLOWEST_BYTES_PER_SECOND", len(MP3) / 30)

    def slowly(connection):
        connection.recv(10000)
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(MP3))
        for start in range(0, len(MP3), 5000):
            connection.sendall(MP3[start : start + 5000])
            time.sleep(0.08)

    link = raw(slowly)
    assert Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO()) == whole()[0]


def test_five_minutes_or_20_kb_a_second():
    transfer = download._Transfer(io.BytesIO(), 10**9, lambda _: None, https_only=False)
    longest = []
    for total in (None, 1, 6_000_000, 200_000_000):
        transfer.total = total
        longest.append(transfer.longest)
    assert longest == [300, 300, 300, 10_000]


# --- Without a length --------------------------------------------------------


def chunked(*chunks, end=b"0\r\n\r\n", **headers):
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end
    return 200, {"Content-Length": None, "Transfer-Encoding": "chunked"} | headers, body


@pytest.mark.parametrize(
    "answer",
    [
        chunked(MP3),
        chunked(*(MP3[start : start + 7000] for start in range(0, len(MP3), 7000))),
        chunked(*(MP3[start : start + 1] for start in range(300)), MP3[300:]),
        chunked(MP3, end=b"000;end\r\nX-Checksum: 1\r\nX-More: 2\r\n\r\n"),
        chunked(MP3, end=b"0\r\n"),
        chunked(end=b"%X;a=b\r\n%b\r\n0\r\n\r\n" % (len(MP3), MP3)),
        chunked(MP3, **{"Content-Length": 5}),
        chunked(MP3, **{"Transfer-Encoding": "Chunked"}),
        chunked(b"ID3"),
    ],
)
def test_an_end_marker_proves_what_comes_in_chunks_whole(answer, fetch):
    assert fetch(answer) == whole(b"ID3" if len(answer[2]) < 20 else MP3)


@pytest.mark.parametrize(
    "answer",
    [
        chunked(MP3, end=b""),
        chunked(MP3[:1000], end=b"%x\r\n%b" % (len(MP3), MP3[1000:2000])),
        chunked(MP3[:1000], end=b"0"),  # of a size such as 00001000
        chunked(MP3[:1000], end=b"0\r"),
        chunked(MP3[:1000], end=b"\r\n0\r\n\r\n"),
        chunked(MP3[:1000], end=b"-0\r\n\r\n"),
        chunked(MP3[:1000], end=b"error\r\n0\r\n\r\n"),
        chunked(end=b"3e8\r\n" + MP3[:1000] + b"xx0\r\n\r\n"),
        chunked(end=b"3e8\r\n" + MP3[:1000] + b"0\r\n\r\n"),
        chunked(MP3[:1000], end=b"1" * 20000 + b"\r\n"),
    ],
)
def test_what_comes_in_chunks_and_breaks_off_is_begun_anew(answer, fetch, server):
    assert fetch(answer, chunked(MP3)) == whole()
    assert server.ranges == [None, None]


def test_chunks_and_lengths_may_take_turns(fetch, server):
    status, headers, body = part(1000)
    in_chunks = chunked(body)
    headers |= in_chunks[1]
    assert fetch(cut(1000), (status, headers, in_chunks[2])) == whole()
    assert fetch(chunked(MP3[:1000], end=b""), cut(2000), part(2000)) == whole()
    assert server.ranges == [None, "bytes=1000-", None, None, "bytes=2000-"]


def test_nothing_in_chunks_is_no_recording(fetch):
    with pytest.raises(NotThereError):
        fetch(chunked())


def test_a_connection_is_used_again_after_chunks(raw):
    connections = []

    def keep(connection):
        connections.append(connection)
        while connection.recv(10000):
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(MP3)[2])

    link = raw(keep)
    downloader = Downloader(lambda _: link, 1, 10**6)
    assert [downloader.download(call_id, io.BytesIO()) for call_id in "123"] == [whole()[0]] * 3
    assert len(connections) == 1


def test_chunks_without_end_are_refused_at_the_limit(raw):
    def flood(connection):
        connection.recv(10000)
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nID3\r\n")
        while True:
            connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

    link, file = raw(flood), io.BytesIO()
    with pytest.raises(UnfitError, match=r"^It has more than RECORD_MAX_MB=1 allows"):
        Downloader(lambda _: link, 1, 10**6).download("1", file)
    assert len(file.getvalue()) <= 10**6


def test_headers_that_break_off_in_a_line_are_not_believed(raw):
    answers = [HEAD + b"Content-Length: 1", HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(MP3), MP3)]

    def answer(connection):
        connection.recv(10000)
        connection.sendall(answers.pop(0))

    link = raw(answer)
    assert Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO()) == whole()[0]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"busy, try later", "no MP3: 62757379"),
        (b"\x1f\x8b\x08\x00x", "no MP3: 1f8b0800"),
        (b"%PDF-1.4", "no MP3: 25504446"),
    ],
)
def test_what_is_refused_in_the_same_way_has_the_same_kind(content, kind, fetch):
    with pytest.raises(UnfitError) as caught:
        fetch((200, {}, content))
    assert caught.value.kind == kind


@pytest.mark.parametrize("content", [b" \n<html>", b"\xef\xbb\xbf<!DOCTYPE html>", b'{"error": "log in"}'])
def test_the_page_of_a_network_says_nothing_of_the_recording(content, fetch):
    with pytest.raises(DownloadError) as caught:
        fetch((200, {}, content))
    assert not isinstance(caught.value, UnfitError)


def test_nothing_begins_when_the_job_is_being_stopped(server):
    downloader = Downloader(lambda _: server.link, 1, 10**6)
    downloader.stop.set()
    with pytest.raises(StoppedError):
        downloader.download("1", io.BytesIO())
    assert server.ranges == []


@pytest.mark.parametrize("start", [b"ID3\x03", b"\xff\xfb\x90\x44", b"\xff\xf3\x28\xc4", b"\xff\xe3\x10\x00"])
def test_an_mp3_is_known_by_its_start(start, fetch):
    content = start + bytes(500)
    assert fetch((200, {}, content)) == whole(content)


def test_threads_give_each_result_or_error_once():
    def work(number):
        if number % 10 == 3:
            raise ValueError(number)
        return -number

    outcomes = [outcome for outcome in in_threads(work, range(100), 7, threading.Event()) if outcome]
    assert sorted(item for item, _ in outcomes) == list(range(100))
    errors = {item: str(result) for item, result in outcomes if isinstance(result, ValueError)}
    assert errors == {number: str(number) for number in range(3, 100, 10)}
    assert all(result == -item for item, result in outcomes if item not in errors)


def test_threads_are_told_to_stop_when_nobody_wants_more():
    before = threading.active_count()
    stop = threading.Event()
    results = in_threads(lambda number: stop.wait(5), range(100), 3, stop)
    assert next(results) is None
    results.close()
    assert stop.is_set()
    assert threading.active_count() <= before
