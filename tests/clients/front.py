"""Stands before a Turnout: sees every request of a client, fails the first ones as it was told, passes the rest on."""

import gzip
import http.client
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

import msgspec

from tests.receiver import Answer, Received, Receiver

_HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}
_ANSWERS_WITHIN = 30.0


class Fault(Enum):
    """What becomes of a request before Turnout is as it should be."""

    AWAY = "503, and Turnout never sees it"
    ANSWER_LOST = "Turnout takes it, and the client is told 503 all the same"
    BUSY = "429 with Retry-After: 1, and Turnout never sees it"


@dataclass(frozen=True)
class Passed:
    """A request, what it was answered, and when it came (monotonic seconds)."""

    received: Received
    answer: Answer
    at: float

    @property
    def plain(self) -> bytes:
        """The body, decompressed."""
        body = self.received.body
        return gzip.decompress(body) if self.received.headers.get("content-encoding") == "gzip" else body

    def messages(self) -> list[dict[str, Any]]:
        """What it carries: those of a batch, or the one that it is."""
        told = msgspec.json.decode(self.plain)
        return list(told["batch"]) if "batch" in told else [told]


class Front:
    """`with Front(port, faults) as front:` is a server of its own; `front.url` leads through it to Turnout."""

    def __init__(self, port: int, faults: tuple[Fault, ...] = ()) -> None:
        self._port = port
        self._faults = deque(faults)
        self._lock = threading.Lock()
        self._passed: list[Passed] = []
        self._receiver = Receiver()
        self._receiver.always(self._answer)

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._receiver.__exit__(*reason)

    @property
    def url(self) -> str:
        return self._receiver.url

    @property
    def port(self) -> int:
        return self._receiver.port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def passed(self) -> list[Passed]:
        """All requests so far, in the order in which they came."""
        with self._lock:
            return sorted(self._passed, key=lambda each: each.at)

    def _answer(self, received: Received) -> Answer:
        at = time.monotonic()
        with self._lock:
            fault = self._faults.popleft() if self._faults else None
        answer = self._failed(fault, received) if fault else self._forwarded(received)
        with self._lock:
            self._passed.append(Passed(received, answer, at))
        return answer

    def _failed(self, fault: Fault, received: Received) -> Answer:
        if fault is Fault.BUSY:
            return Answer(429, {"Content-Type": "application/json", "Retry-After": "1"}, _told("rate_limited"))
        if fault is Fault.ANSWER_LOST:
            self._forwarded(received)
        return Answer(503, {"Content-Type": "application/json"}, _told("unavailable"))

    def _forwarded(self, received: Received) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWERS_WITHIN)
        headers = {name: value for name, value in received.headers.items() if name not in _HOP_BY_HOP}
        try:
            connection.request(received.method, received.path, received.body, headers)
            answer = connection.getresponse()
            told = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()


def _told(code: str) -> bytes:
    return msgspec.json.encode({"success": False, "code": code, "message": code, "error": code})
