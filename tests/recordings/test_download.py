"""One recording: what is trusted, what goes on where it stopped, what is refused, and in which words."""

import hashlib
import io
import re
import ssl
import threading
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
                    inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(MP3), MP3))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.authority = [], authority
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


@pytest.mark.parametrize("link", ["http://records.example.com/x.mp3", "file:///etc/passwd", "x.mp3", "https://"])
def test_a_link_that_leads_elsewhere_is_not_followed(link):
    with pytest.raises(DownloadError, match="only https is trusted"):
        Downloader(lambda _: link, 1, 10**6).download("1", io.BytesIO())


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
