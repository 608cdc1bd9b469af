"""What a case plays on: a site, a source of a running Turnout, and a proxy between them that sees every request."""

import contextlib
import http.client
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from tests.certificates import Certificate
from tests.clients.browser.chromium import Browser, Page
from tests.receiver import Answer, Received, Receiver
from tests.running import Running
from tests.waiting import eventually

ARRIVES_WITHIN = 40.0
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}

Fault = Callable[[Received], Answer | None]
"""What a request is answered before Turnout sees it; None to let it pass."""


class Lost(Answer):
    """What is said instead of Turnout's answer to a request that it has taken."""


def no_fault(received: Received) -> None:
    return None


def first_posts(*answers: Answer) -> Fault:
    """The first posts are answered so, one after the other; the others pass."""
    left = deque(answers)
    return lambda received: left.popleft() if received.method == "POST" and left else None


@dataclass(frozen=True)
class Passed:
    """A request that came to the proxy, what it was answered, and when it came (monotonic seconds)."""

    received: Received
    answer: Answer
    at: float

    @property
    def line(self) -> str:
        return f"{self.received.method} {self.received.path}"

    def messages(self) -> list[dict[str, Any]]:
        told = msgspec.json.decode(self.received.body)
        return list(told["batch"]) if "batch" in told else [told]


class Proxy:
    """Stands before Turnout as a load balancer does, and takes the TLS off where it is given some."""

    def __init__(self, turnout: Running, tls: ssl.SSLContext | None, fault: Fault) -> None:
        self._turnout = turnout
        self._fault = fault
        self._lock = threading.Lock()
        self._passed: list[Passed] = []
        self._scheme = "http" if tls is None else "https"
        self._receiver = Receiver(tls=tls)
        self._receiver.always(self._answer)

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._receiver.__exit__(*reason)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._receiver.port}"

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.host}"

    @property
    def passed(self) -> list[Passed]:
        with self._lock:
            return sorted(self._passed, key=lambda each: each.at)

    @property
    def lines(self) -> list[str]:
        """Everything that was asked for, in the order in which it came."""
        return [each.line for each in self.passed]

    def posts(self, count: int = 0) -> list[Passed]:
        """What was posted, once there are so many answers to it."""

        def found() -> list[Passed]:
            return [each for each in self.passed if each.received.method == "POST"]

        eventually(lambda: len(found()) >= count, what=f"{count} posts came to the proxy")
        return found()

    def _answer(self, received: Received) -> Answer:
        at = time.monotonic()
        answer = self._answered(received)
        with self._lock:
            self._passed.append(Passed(received, answer, at))
        return answer

    def _answered(self, received: Received) -> Answer:
        told = self._fault(received)
        if told is None:
            return self._forwarded(received)
        if isinstance(told, Lost):
            self._forwarded(received)
        return told

    def _forwarded(self, received: Received) -> Answer:
        tls = self._turnout.tls
        assert tls is not None
        address = ("127.0.0.1", self._turnout.port)
        headers = {name: value for name, value in received.headers.items() if name not in _HOP_BY_HOP}
        with contextlib.closing(http.client.HTTPSConnection(*address, timeout=30, context=tls.trusted())) as connection:
            told = {**headers, "x-forwarded-proto": self._scheme}
            connection.request(received.method, received.path, received.body, told)
            answer = connection.getresponse()
            passed_on = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            return Answer(answer.status, passed_on, answer.read())


@dataclass
class Site:
    """A website of its own origin: whatever path is asked for, its page is there."""

    receiver: Receiver
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.receiver.port}"

    def answer(self, received: Received) -> Answer:
        page = self.pages.get(received.path.partition("?")[0], "")
        return Answer(200 if page else 404, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


@contextmanager
def site(certificate: Certificate) -> Iterator[Site]:
    with Receiver(tls=certificate.serving()) as receiver:
        opened = Site(receiver)
        receiver.always(opened.answer)
        yield opened


@dataclass(frozen=True)
class Stage:
    """A case's own: nobody else uses its source."""

    browser: Browser
    turnout: Running
    site: Site
    source: str

    @property
    def key(self) -> str:
        return f"key-of-{self.source}"

    @contextmanager
    def proxy(self, fault: Fault = no_fault, *, scheme: str = "https") -> Iterator[Proxy]:
        assert self.turnout.tls is not None
        tls = self.turnout.tls.serving() if scheme == "https" else None
        with Proxy(self.turnout, tls, fault) as proxy:
            yield proxy

    def refusal(self, status: int, **headers: str) -> Answer:
        """One that the scripts of the site can read."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        exposed = {"Access-Control-Allow-Origin": self.site.url, "Access-Control-Expose-Headers": "*"}
        return Answer(status, {**exposed, **told}, b"no")

    def outage(self) -> Fault:
        """The collector is away for two posts, and of the third it takes what it has, but the answer is lost.

        The first refusal is a balancer's, which knows nothing of other origins: to the page it is no answer at all.
        """
        return first_posts(Answer(503, {}, b"no"), self.refusal(503), Lost(503, {}, b"no"))

    def write(self, *scripts: str, name: str = "") -> str:
        """The address of a page of the site that has these scripts."""
        path = f"/{self.source}{name}"
        body = "".join(f"<script>{script}</script>" for script in scripts)
        self.site.pages[path] = f"<!doctype html><title>A page</title><body>{body}</body>"
        return self.site.url + path

    def snippet(self, host: str, **options: object) -> str:
        """The official snippet, with this case's key."""
        return self.browser.snippet(**{"host": host, "apiKey": self.key, "page": False, **options})

    def visit(self, host: str, *, query: str = "", **options: object) -> Page:
        """A new visitor on a page with the official snippet, once the library is there."""
        page = self.browser.open(self.write(self.snippet(host, **options)) + query)
        page.run("new Promise((done) => analytics.ready(() => done(null)))")
        return page

    def archived(self, count: int) -> list[dict[str, Any]]:
        """The messages of this source, once there are so many."""
        what = f"{count} messages of {self.source} are in the archive"

        def enough() -> list[dict[str, Any]] | None:
            found = self.turnout.archived(self.source)
            assert len(found) >= count, [message.get("event", message["type"]) for message in found]
            return found

        found = eventually(enough, within=ARRIVES_WITHIN, what=what)
        assert found is not None
        return found


def nothing_left(page: Page) -> None:
    """What a page asked for, it asked of us."""
    assert page.seen().elsewhere == []


def once(messages: Iterable[Mapping[str, Any]], count: int) -> None:
    ids = [message["messageId"] for message in messages]
    assert len(ids) == len(set(ids)) == count
