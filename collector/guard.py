"""uvicorn's connection, with an end to everything that a client could make last or grow for ever."""

import asyncio
import http
import math
from typing import Any

import httptools
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from collector import answers
from collector.answers import Answer, Problem
from collector.connections import Connections

LINGER = 3.0
"""Seconds in which a client may read its last answer before the connection is cut."""

SPARE_BYTES = 16 << 20
"""Of a body that nobody wants: so much is read and thrown away, for most clients look for the answer after sending."""

PIPELINED = 64
"""Requests of one connection that may wait for the answers to those before them."""

_CLOSE = (b"connection", b"close")


def _told(status: int, code: str, words: str) -> Answer:
    return answers.worded(Problem(status=status, code=code, message=words, headers=(_CLOSE,)))


def _bytes(answer: Answer) -> bytes:
    first = f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}".encode()
    lines = [first, *(name + b": " + value for name, value in answer.headers), b"", answer.body["body"]]
    return b"\r\n".join(lines)


_NOT_HTTP = _bytes(_told(400, "bad_http", "this is not a request in HTTP/1.1"))
_HEAD_SLOW = _bytes(_told(408, "head_timeout", "the headers were not complete in time"))
_HEAD_LARGE = _bytes(_told(431, "headers_too_large", "the headers are larger or more than this server takes"))
_FULL_WORDS = "this server has as many connections as it takes; try again later"
_FULL = answers.worded(
    Problem(status=503, code="too_many_connections", message=_FULL_WORDS, headers=(answers.retry_after(1), _CLOSE))
)


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    await _FULL.send(dict(scope["headers"]).get(b"origin"), send)


class TooLargeHead(Exception):
    """Leaves the parser's callback."""


class Guarded(HttpToolsProtocol):
    """Sets a deadline wherever a client could keep us waiting; `Server` looks once a second whose is over."""

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], rules: Connections
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._rules = rules
        self.deadline = math.inf
        self._in_head = False
        self._head_bytes = 0
        """Of this head, in earlier reads."""
        self._read = 0
        """Bytes of the read at hand."""
        self._spare: int | None = None
        """What is still thrown away before the connection is cut; None while everything is wanted."""
        self._deaf = False
        self._offered = False
        """The head at hand is read once more, without its offer of another protocol."""

    # a connection's beginning and end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self.deadline = self.loop.time() + self._rules.head
        others, most = len(self.connections), self._rules.most
        if others > most + most // 10 + 1:
            transport.abort()
        elif others > most:
            self.app = _full

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn always closes
        """Who has asked everything may close its half, and is answered; TLS knows no halves."""
        if not self._busy() or self.cycle.more_body or self.scheme == "https":
            return None
        self.cycle.keep_alive = False
        return True

    def expire(self) -> None:
        """The deadline is over."""
        if self._busy() or self._deaf or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head:
            self._dismiss(_HEAD_SLOW)
        else:
            self._close_softly()

    # what comes in

    def data_received(self, data: bytes) -> None:
        if self._spare is not None and not self._throws_away(len(data)):
            return
        in_head = self._in_head
        self._read = len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._dismiss(_HEAD_LARGE if isinstance(error.__context__, TooLargeHead) else _NOT_HTTP)
            return
        if in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._rules.head_bytes:
                self._dismiss(_HEAD_LARGE)

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_offer() + data[upgrade.args[0] :]
            else:
                return

    def _without_offer(self) -> bytes:
        """The head again, without the wish to speak another protocol, which everybody may overlook.

        Java's own client makes this offer with its messages, and our parser would take their bodies for the other
        protocol.
        """
        first = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        kept = [name + b": " + value for name, value in self.headers if name not in (b"upgrade", b"connection")]
        return b"\r\n".join([first, *kept, b"", b""])

    def _throws_away(self, size: int) -> bool:
        """Whether the parser still has to see it, to find the next request."""
        assert self._spare is not None
        self._spare -= size
        if self._spare < 0:
            self.transport.abort()
        return not self._deaf and self._spare >= 0

    # what the parser finds

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if not self._busy():
            self.deadline = self.loop.time() + self._rules.head

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.headers) > self._rules.headers or len(self.pipeline) >= PIPELINED or self._is_large():
            raise TooLargeHead
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offered = True
            return  # and again without it
        if not self._busy():
            self.deadline = self.loop.time() + self._rules.answer
        super().on_headers_complete()

    def _is_large(self) -> bool:
        most = self._rules.head_bytes
        # The reads that it came in hold it: only where they are large is it worth to add up.
        return self._head_bytes + self._read > most and (
            len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > most
        )

    def on_message_complete(self) -> None:
        if self._offered:
            self._offered = False
            return
        if self.cycle.response_complete:
            self._spare = None
            self.deadline = self.loop.time() + self._rules.idle
            return
        self.cycle.more_body = False
        self.cycle.message_event.set()

    # what goes out

    def on_response_complete(self) -> None:
        """As uvicorn has it, but for its timer, which costs more than all else here."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        now, rules = self.loop.time(), self._rules
        self.flow.resume_reading()
        if self.pipeline:
            self.deadline = now + rules.answer
            self._start_asgi_task(*self.pipeline.pop())
        elif self.cycle.more_body:
            self._give_up_the_rest(now)
        else:
            self.deadline = now + (rules.head if self._in_head else rules.idle)

    def _give_up_the_rest(self, now: float) -> None:
        self._spare = SPARE_BYTES
        # As long as the body had from its beginning: a slow one has had its time.
        self.deadline = max(now + LINGER, self.deadline - self._rules.answer + self._rules.body)
        if self.expect_100_continue:
            # The client waits for a word before it sends the body, and may now leave it out: what comes next is
            # the body or the next request, and nobody can tell which.
            self._close_softly()

    def _dismiss(self, words: bytes) -> None:
        """Nothing that comes from here on has a meaning. Those who are owed an answer still get it, and no other."""
        self._in_head = False
        if self._busy():
            self._deaf, self._spare = True, SPARE_BYTES
            self.cycle.keep_alive = False
        elif not self.transport.is_closing():
            self.transport.write(words)
            self._close_softly()

    def _close_softly(self) -> None:
        """A socket that is closed with something unread takes back the answer on its way."""
        self._deaf, self._spare = True, SPARE_BYTES
        self.deadline = self.loop.time() + LINGER
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _busy(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


class _Flow(FlowControl):
    """A client that is gone is no error."""

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            super().resume_reading()

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            super().pause_reading()
