"""F32 to F37, over the wire: clients that are slow, bodies that are too large or mean harm, odd numbers and texts."""

import asyncio
import base64
import contextlib
import gzip
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest

from tests.faults.scale import Scale
from tests.faults.town import Town
from tests.faults.trial import Trial
from tests.running import Role
from tests.waiting import eventually

KEY = b"Authorization: Basic " + base64.b64encode(b"dev:") + b"\r\n"
ROOM = 400
"""MB by which the collector may grow, whatever comes in: its room for bodies, and what it makes of them."""


def post(path: str, length: int, headers: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: t\r\n%sContent-Length: %d\r\n%s\r\n" % (path.encode(), KEY, length, headers)


@contextmanager
def within_memory(town: Town) -> Iterator[None]:
    """Inside of `with`, the collector takes no more than `ROOM` beyond what it had."""
    status = Path(f"/proc/{town.turnout.pids(Role.COLLECTOR)[0]}/status")
    if not status.exists():
        yield  # no Linux: nobody tells the peak
        return
    status.with_name("clear_refs").write_text("5")  # the peak begins anew
    before = peak(status)
    yield
    assert peak(status) - before < ROOM


def peak(status: Path) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    assert found is not None
    return int(found[1]) // 1024


async def drips(port: int, first: bytes, drip: bytes) -> tuple[bytes, float]:
    """What is said to a client that sends a byte or a header each second, and for how long it is let."""
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writing.write(first)
    got = asyncio.ensure_future(reading.read())
    while not got.done() and time.monotonic() - began < 60:
        if drip:
            writing.write(drip)
        await asyncio.wait([got], timeout=1)
    writing.close()
    with contextlib.suppress(ConnectionError):
        return await got, time.monotonic() - began
    return b"", time.monotonic() - began


@pytest.mark.scenario("F32")
def test_hundreds_of_slow_clients_are_let_go_and_keep_nobody_waiting(trial: Trial, scale: Scale) -> None:
    town = trial.town
    kinds = [(b"", b""), (b"POST /v1/tr", b"a"), (b"GET / HTTP/1.1\r\n", b"A: b\r\n")]
    if scale.long:
        kinds.append((post("/v1/track", 500), b" "))  # a body has 30 s

    async def all_of_them() -> list[tuple[bytes, float]]:
        port = town.turnout.port
        return await asyncio.gather(*(drips(port, *kinds[n % len(kinds)]) for n in range(scale.of(500, 5_000))))

    with within_memory(town), trial.load() as ledger:
        ended = asyncio.run(all_of_them())
        trial.over()
    told = {answer[9:12] for answer, _ in ended}
    assert told == {b"", b"408"} | ({b"503"} if scale.long else set())
    assert max(seconds for _, seconds in ended) < scale.of(25, 50)
    assert set(ledger.answers) == {200}
    trial.prove()


@pytest.mark.scenario("F33")
def test_a_hundred_megabytes_are_refused_at_once_and_never_held(trial: Trial) -> None:
    town = trial.town
    with within_memory(town):
        for head, piece in (
            (post("/v1/batch", 100_000_000), bytes(65_536)),
            (post("/v1/batch", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"), chunk(65_536)),
        ):
            with create_connection(("127.0.0.1", town.turnout.port), timeout=30) as client:
                client.sendall(head)
                sent = pours(client, piece, 100_000_000)
                assert sent < 60_000_000
        flood = b"GET /health/live HTTP/1.1\r\nX: " + b"a" * 2_000_000
        with create_connection(("127.0.0.1", town.turnout.port), timeout=30) as client:
            client.sendall(flood)
            assert client.recv(100).startswith(b"HTTP/1.1 431")
    assert town.turnout.ready()


def chunk(size: int) -> bytes:
    return b"%x\r\n%s\r\n" % (size, b" " * size)


def pours(client: Any, piece: bytes, most: int) -> int:
    """How much could be sent before the line was cut."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < most:
            client.sendall(piece)
            sent += len(piece)
    return sent


@pytest.mark.scenario("F34")
def test_bombs_of_many_clients_at_once_stay_small(trial: Trial) -> None:
    town = trial.town
    bomb = gzip.compress(bytes(200_000_000), 9)
    wide = b'{"batch":[' + b",".join([b"{}"] * 1_300_000) + b"]}"
    deep = b'{"batch":' + b"[" * 4_000_000
    bodies = [(bomb, b"Content-Encoding: gzip\r\n"), (wide, b""), (deep, b"")] * 3
    with within_memory(town):
        answers = asyncio.run(at_once(town.turnout.port, bodies))
    assert {answer[9:12] for answer in answers} <= {b"400", b"503"}
    assert town.turnout.ready()


async def at_once(port: int, bodies: list[tuple[bytes, bytes]]) -> list[bytes]:
    async def one(body: bytes, headers: bytes) -> bytes:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(post("/v1/batch", len(body), headers) + body)
        answer = await asyncio.wait_for(reading.readuntil(b"\r\n\r\n"), 60)
        writing.close()
        return answer

    return await asyncio.gather(*(one(*each) for each in bodies))


REFUSED = {
    "NaN": b'{"userId":"%s","event":"E","properties":{"n":NaN}}',
    "infinity": b'{"userId":"%s","event":"E","properties":{"n":-Infinity}}',
    "1e400": b'{"userId":"%s","event":"E","properties":{"n":1e400}}',
    "5,000 digits": b'{"userId":"%s","event":"E","properties":{"n":' + b"7" * 5_000 + b"}}",
    "raw null": b'{"userId":"%s","event":"a\0b"}',
    "overlong": b'{"userId":"%s","event":"a\xc0\xafb"}',
    "bare byte": b'{"userId":"%s","event":"caf\xe9"}',
    "surrogate in UTF-8": b'{"userId":"%s","event":"a\xed\xa0\x80b"}',
    "UTF-16": '{"userId":"%s","event":"E"}'.encode("utf-16"),
    "500 levels": b'{"userId":"%s","event":"E","properties":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
    "1,000 levels": b'{"userId":"%s","event":"E","properties":{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}}",
    "unclosed": b'{"userId":"%s","event":"E","properties":' + b'{"a":' * 2_000,
}
ODD = {"": 1, "__proto__": {"x": 1}, "a.b": {"$set": 2}}
TAKEN: dict[str, tuple[bytes, dict[str, Any]]] = {
    "25 digits": (b'{"n":1234567890123456789012345}', {"n": 1234567890123456789012345}),
    "2^64": (b'{"n":18446744073709551616,"m":-9223372036854775809}', {"n": 2**64, "m": -(2**63) - 1}),
    "small": (b'{"n":1e-400,"m":1.5e308}', {"n": 0.0, "m": 1.5e308}),
    "twice the same key": (b'{"a":1,"a":2}', {"a": 2}),
    "half a character": (rb'{"a":"x\ud83d"}', {"a": "x\ufffd"}),
    "empty and odd keys": (b'{"":1,"__proto__":{"x":1},"a.b":{"$set":2}}', ODD),
    "a long key": (b'{"' + b"k" * 10_000 + b'":1}', {"k" * 10_000: 1}),
}


@pytest.mark.scenario("F36")
def test_what_can_be_kept_arrives_as_it_was_and_the_rest_is_refused(trial: Trial) -> None:
    town, user = trial.town, "f36"
    headers = {"Authorization": KEY.decode().partition(": ")[2].strip()}
    for name, body in REFUSED.items():
        text = body if name == "UTF-16" else body.replace(b"%s", user.encode())
        status, answer = town.turnout.request("POST", "/v1/track", text, headers)
        assert (status, b'"success":false' in answer) == (400, True), name
    for name, (properties, _) in TAKEN.items():
        text = b'{"userId":"%s","event":"E","properties":%s}' % (user.encode(), properties)
        assert town.turnout.request("POST", "/v1/track", b"\xef\xbb\xbf" + text, headers)[0] == 200, name

    def arrived() -> list[Any]:
        return [message["properties"] for message in town.at_hook() if message["userId"] == user]

    expected = [properties for _, properties in TAKEN.values()]
    eventually(lambda: len(arrived()) == len(expected), what="all arrived")
    trial.quiet()
    for place, found in town.arrivals().items():
        assert [message["properties"] for message in found if message["userId"] == user] == expected, place
