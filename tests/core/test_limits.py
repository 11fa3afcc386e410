"""Every wait for an answer has an end, in time and in size; and clocks that are apart are told."""

import gzip
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import sleep  # what tests put in its place is for others

import pytest
from requests_mock import ANY

import binotel_core
from binotel_core import PATIENCE_SECONDS, BinotelError, ClockError, TookTooLongError, TransportError, within

DAY = 1714560000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ERROR = b'{"status":"error","code":"104","message":"Wrong data"}'


@pytest.fixture
def serve():
    """A function that starts a server which does with each connection what it is given; returns its address."""
    listeners, connections = [], []

    def start(talk):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept():
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            with connection, suppress(OSError):
                connection.recv(65536)
                talk(connection)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/api/2.0"

    yield start
    for listener in listeners:
        listener.close()
    for connection in connections:  # or whoever reads from it would do so for ever
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def drip(start, byte):
    def talk(connection):
        connection.sendall(start)
        while True:
            connection.sendall(byte)
            sleep(0.02)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(drip(b"", b"H"), id="in the status line"),
        pytest.param(drip(HEAD + b"X-Slow: ", b"x"), id="in a header"),
        pytest.param(drip(HEAD, b"A: 1\r\n"), id="in ever more headers"),
        pytest.param(drip(HEAD + b"Content-Length: 1000000\r\n\r\n", b" "), id="in the body"),
        pytest.param(drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), id="in chunks"),
        pytest.param(drip(HEAD + b"\r\n", b" "), id="without an end"),
        pytest.param(drip(b"HTTP/1.1 503 Away\r\nContent-Length: 1000000\r\n\r\n", b" "), id="in an error"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"), id="go on, go on"),
    ],
)
@pytest.mark.parametrize("method", ["stats/list-of-calls-per-day", "calls/hangup-call"])
def test_a_server_that_sends_byte_after_byte_does_not_hold_a_script(talk, method, serve, make_client, monkeypatch):
    monkeypatch.setattr(binotel_core, "ANSWER_SECONDS", 0.3)
    client = make_client(serve(talk))
    began = time.monotonic()
    with pytest.raises(TransportError, match=f"did not answer {method} within 0.3 s, all tries together|100 headers"):
        client.call(method, {"generalCallID": "1"})
    assert time.monotonic() - began < 5


def test_all_tries_together_have_one_limit_and_waiting_for_the_quota_is_no_part_of_it(
    client, clock, requests_mock, monkeypatch
):
    requests_mock.post(ANY, text="no")
    for _ in range(6):  # what the quota gives at once is spent
        client._throttle.acquire("stats/list-of-calls-per-day")
    monkeypatch.setattr(binotel_core, "ANSWER_SECONDS", 10)
    clock.slept.clear()
    with pytest.raises(TransportError, match="not whole JSON"):
        client.calls_per_day(DAY)
    assert [seconds for seconds in clock.slept if seconds in (2, 4, 8)] == [2, 4]
    assert sum(clock.slept) > 10


def test_an_answer_that_is_too_large_is_refused_and_not_read_on(serve, make_client, monkeypatch):
    monkeypatch.setattr(binotel_core, "MAX_ANSWER_BYTES", 1 << 20)
    sent = []

    def talk(connection):
        connection.sendall(HEAD + b"\r\n")
        while True:
            sent.append(connection.send(b" " * 65536))

    with pytest.raises(TransportError, match=r"The answer to stats/list-of-calls-per-day has more than 1 MB\."):
        make_client(serve(talk)).calls_per_day(DAY)
    assert sum(sent) < 16 << 20


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_what_becomes_too_large_when_it_is_opened_takes_little_memory(encoding, serve, make_client, monkeypatch):
    monkeypatch.setattr(binotel_core, "MAX_ANSWER_BYTES", 1 << 20)
    opened = b" " * (128 << 20)
    compress = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "gzip, gzip": lambda b: gzip.compress(gzip.compress(b)),
    }
    body = compress[encoding](opened)
    del opened

    def talk(connection):
        head = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(HEAD + head.encode() + body)

    client = make_client(serve(talk))
    tracemalloc.start()
    try:
        with pytest.raises(TransportError, match="has more than 1 MB"):
            client.calls_per_day(DAY)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_an_answer_that_is_compressed_is_read(serve, make_client):
    body = gzip.compress(ERROR)

    def talk(connection):
        connection.sendall(HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    with pytest.raises(BinotelError, match="code 104: Wrong data"):
        make_client(serve(talk)).calls_per_day(DAY)


def test_within_gives_what_was_made_or_raised_and_waits_no_longer():
    assert within(PATIENCE_SECONDS, lambda: 5) == 5
    with pytest.raises(KeyError, match="x"):
        within(PATIENCE_SECONDS, lambda: {}["x"])
    with pytest.raises(TookTooLongError, match=r"longer than 0\.01 s"):
        within(0.01, lambda: sleep(0.2))


# --- Clocks ------------------------------------------------------------------


def dated(moment, requests_mock, **options):
    requests_mock.post(ANY, headers={"Date": moment}, **options)


@pytest.mark.parametrize("days", [-400, -1.01, 1.01, 400])
def test_clocks_that_are_more_than_a_day_apart_end_a_read(days, client, requests_mock):
    theirs = datetime.now(UTC) + timedelta(days=days)
    dated(format_datetime(theirs, usegmt=True), requests_mock, content=ERROR)
    with pytest.raises(ClockError) as caught:
        client.calls_per_day(DAY)
    ours = datetime.now(UTC)
    assert f"This computer's clock says {ours:%Y-%m-%d}" in str(caught.value)
    assert f"127.0.0.1:{client._base_url.split(':')[2].split('/')[0]} {theirs:%Y-%m-%d %H:%M}." in str(caught.value)
    assert requests_mock.call_count == 1


@pytest.mark.parametrize(("minutes", "told"), [(-2000, 1), (-60, 1), (-11, 1), (-9, 0), (9, 0), (11, 1), (1439, 1)])
def test_clocks_that_are_apart_are_told_once(minutes, told, client, requests_mock, caplog):
    dated(format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True), requests_mock, content=ERROR)
    for _ in range(2):
        with pytest.raises(BinotelError):
            client.call("calls/hangup-call", {"generalCallID": "1"})  # was done: to fail would mislead
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * told


@pytest.mark.parametrize("text", ["", "yesterday", "Wed, 99 Foo 2024 99:99:99 GMT", "0", "\x00"])
def test_a_date_that_is_none_decides_nothing(text, client, requests_mock, caplog):
    dated(text, requests_mock, content=ERROR)
    with pytest.raises(BinotelError, match="code 104"):
        client.calls_per_day(DAY)
    assert not caplog.records
