"""Clients that take their time, say too much, or leave: each comes to an end, and nobody else notices."""

import asyncio
import contextlib
import struct
import time
from collections.abc import Iterator
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, create_connection, socket

import msgspec
import pytest

from collector.connections import Connections
from destinations.settings import Duration
from schemas.limits import Limits
from tests.collector.client import MemoryLog, edge
from tests.collector.served import served

BODY = b'{"userId":"u1","event":"e"}'
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Write-Key: wk_web\r\nContent-Length: %d\r\n"
POST = HEAD % len(BODY) + b"\r\n" + BODY
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
QUICK = Connections(head=Duration(1), idle=Duration(2), body=Duration(1), head_bytes=8_192, headers=50)
LATE = 15.0
"""Seconds after which whoever is still there was forgotten."""


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(scope="module")
def port(log: MemoryLog) -> Iterator[int]:
    app = edge(log, limits=Limits(body_bytes=200_000), body_seconds=1.0).app
    with served(app, QUICK) as port:
        yield port


def said_to(port: int, *parts: bytes, half: bool = False) -> bytes:
    """All that is answered until the connection ends; `half` closes our half of it first."""
    with create_connection(("127.0.0.1", port), timeout=LATE) as client:
        for part in parts:
            client.sendall(part)
        if half:
            client.shutdown(SHUT_WR)
        return rest(client)


def rest(client: socket) -> bytes:
    got = b""
    while chunk := client.recv(65_536):
        got += chunk
    return got


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    told = msgspec.json.decode(body)
    assert told["error"] == told["message"]
    return int(head.split()[1]), told["code"]


async def _until_closed(port: int, first: bytes, drip: bytes) -> tuple[bytes, float]:
    """What a client is told that sends `first`, and `drip` every 50 ms; and for how long it was let."""
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writing.write(first)
    dripping = asyncio.ensure_future(_drip(writing, drip))
    got = b""
    with contextlib.suppress(ConnectionError):
        got = await asyncio.wait_for(reading.read(), LATE)
    dripping.cancel()
    writing.close()
    return got, time.monotonic() - began


async def _drip(writing: asyncio.StreamWriter, drip: bytes) -> None:
    while drip:
        writing.write(drip)
        await asyncio.sleep(0.05)


def test_whoever_keeps_us_waiting_is_let_go_while_others_are_answered_at_once(port: int) -> None:
    slow = [
        (b"", b"", b""),  # silent from its start
        (b"", b"\r\n", b""),  # never begins
        (b"POST /v1/track HTTP/1.1\r\n", b"X-A: b\r\n", b"408"),
        (b"PO", b"", b"408"),
        (LIVE, b"", b"200"),  # idle after a request
        (b"POST /v1/track HTTP/1.1\r\n\r\n", b"", b"400"),  # idle after a refusal
        (LIVE + b"POST /v1/tr", b"a", b"408"),  # slow from its second request on
        (HEAD % 5_000 + b"\r\n", b" ", b"503"),  # a slow body
        (HEAD % 5_000_000 + b"\r\n", b" ", b"400"),  # too large, and slow
        (b"POST /nowhere HTTP/1.1\r\nContent-Length: 99\r\n\r\n", b"", b"404"),  # a body that nobody waits for
    ]

    async def all_at_once() -> tuple[list[tuple[bytes, float]], list[float]]:
        others = asyncio.ensure_future(_others(port))
        ended = await asyncio.gather(*(_until_closed(port, first, drip) for first, drip, _ in slow * 20))
        return ended, await others

    ended, waits = asyncio.run(all_at_once())
    for (first, _, status), (got, seconds) in zip(slow * 20, ended, strict=True):
        assert got.rpartition(b"HTTP/1.1 ")[2][:3] == status, first
        assert seconds < LATE, first
    assert max(waits) < 5.0  # on a machine that does much else


async def _others(port: int) -> list[float]:
    waits = []
    for _ in range(20):
        began = time.monotonic()
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(POST)
        assert (await reading.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writing.close()
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.05)
    return waits


def test_headers_that_are_too_large_or_too_many_are_answered_and_end_the_connection(port: int) -> None:
    start = b"GET /health/live HTTP/1.1\r\n"
    floods = [
        start + b"X-Long: " + b"a" * 9_000 + b"\r\n\r\n",
        start + b"X: y\r\n" * 60 + b"\r\n",
        b"GET /health/live?" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n",
        LIVE + start + b"X-Long: " + b"a" * 2_000_000,
    ]
    for flood in floods:
        answer = said_to(port, flood)
        assert code_of(answer[answer.rindex(b"HTTP/1.1") :]) == (431, "headers_too_large"), flood[:60]


def test_headers_within_the_limit_may_come_in_any_pieces(port: int) -> None:
    head = b"GET /health/live HTTP/1.1\r\nConnection: close\r\nX-Long: " + b"a" * 7_000 + b"\r\n\r\n"
    pieces = [head[start : start + 700] for start in range(0, len(head), 700)]
    assert said_to(port, *pieces).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the first bytes of TLS
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /caf\xe9 HTTP/1.1\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Null: a\0b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_not_http_is_told_so(port: int, nonsense: bytes) -> None:
    assert code_of(said_to(port, nonsense)) == (400, "bad_http")


def test_requests_that_do_not_wait_for_answers_are_answered_in_turn(port: int, log: MemoryLog) -> None:
    before = len(log.items)
    last = LIVE.replace(b"Host: x", b"Connection: close")
    assert said_to(port, POST * 30 + last).count(b"HTTP/1.1 200 OK") == 31
    assert len(log.items) == before + 30


def test_too_many_requests_at_once_lose_those_past_the_limit_and_no_answer(port: int) -> None:
    answers = said_to(port, LIVE * 500).count(b"HTTP/1.1 200 OK")
    assert 64 <= answers <= 66


def test_nonsense_after_a_request_leaves_that_its_answer(port: int) -> None:
    answer = said_to(port, POST + b"nonsense\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200")


def test_whoever_has_asked_may_close_its_half(port: int) -> None:
    assert said_to(port, POST, half=True).startswith(b"HTTP/1.1 200")
    assert said_to(port, POST * 3, half=True).count(b"HTTP/1.1 200") == 3


def test_whoever_closes_in_the_middle_of_a_body_is_not_answered(port: int, log: MemoryLog) -> None:
    before = len(log.items)
    assert said_to(port, POST[:-1], half=True) == b""
    assert len(log.items) == before


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(port: int) -> None:
    with create_connection(("127.0.0.1", port), timeout=LATE) as client:
        client.sendall(HEAD % len(BODY) + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        assert client.recv(1_000).startswith(b"HTTP/1.1 200")


def test_a_client_that_asks_leave_for_too_large_a_body_is_refused_before_it_sends_it(port: int) -> None:
    answer = said_to(port, HEAD % 200_001 + b"Expect: 100-continue\r\n\r\n")
    assert code_of(answer) == (400, "payload_too_large")


def test_an_offer_of_another_protocol_is_left_out(port: int) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"
    with_offer = HEAD % len(BODY) + offer + b"\r\n" + BODY
    last = LIVE.replace(b"Host: x", b"Connection: close")
    assert said_to(port, with_offer + with_offer, last).count(b"HTTP/1.1 200") == 3


def test_a_body_that_nobody_wants_is_read_to_a_limit_and_no_further(port: int) -> None:
    sent = 0
    with create_connection(("127.0.0.1", port), timeout=LATE) as client:
        client.sendall(HEAD % 100_000_000 + b"\r\n")
        answer = client.recv(2_000)
        with contextlib.suppress(OSError):
            for _ in range(1_600):
                client.sendall(bytes(65_536))
                sent += 65_536
    assert b"payload_too_large" in answer
    assert sent < 40_000_000


def test_a_body_a_little_too_large_is_answered_to_who_looks_after_sending(port: int) -> None:
    size = 2_000_000
    with create_connection(("127.0.0.1", port), timeout=LATE) as client:
        client.sendall(HEAD % size + b"\r\n" + b" " * size)
        assert b"payload_too_large" in client.recv(2_000)
        client.sendall(POST)
        assert client.recv(2_000).startswith(b"HTTP/1.1 200")


def test_clients_that_cut_the_line_make_no_noise(port: int, caplog: pytest.LogCaptureFixture) -> None:
    beginnings = [
        b"",
        b"PO",
        POST[:-9],
        POST,
        POST * 20,
        HEAD % 5_000_000 + b"\r\n",
        HEAD % 150_000 + b"\r\n" + b" " * 99_000,
    ]
    for _ in range(5):
        for beginning in beginnings:
            client = create_connection(("127.0.0.1", port))
            client.sendall(beginning)
            client.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            client.close()  # a reset
    assert said_to(port, POST, half=True).startswith(b"HTTP/1.1 200")
    assert caplog.text == ""


def test_past_the_most_connections_clients_are_asked_to_come_again(log: MemoryLog) -> None:
    with served(edge(log).app, Connections(most=5)) as port, contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(create_connection(("127.0.0.1", port), timeout=LATE)) for _ in range(5)]
        for client in clients:
            client.sendall(LIVE)
            assert client.recv(500).startswith(b"HTTP/1.1 200")
        answer = said_to(port, POST)
        assert code_of(answer) == (503, "too_many_connections")
        assert b"retry-after: 1" in answer
        clients[0].sendall(LIVE)
        assert clients[0].recv(500).startswith(b"HTTP/1.1 200")
