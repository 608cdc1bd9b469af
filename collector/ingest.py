"""Take one POST of messages from its first byte to its answer."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from starlette.types import Receive

from collector import accept, answers, decoding, quarantine
from collector.accept import Refused, Terms, Verdict
from collector.answers import Answer
from collector.auth import Grant, Keys
from collector.decoding import Batch, Shared
from collector.dialects.dialect import Dialect, Facts, placed, telling_terms
from collector.errors import BadBody
from collector.inflating import inflated
from collector.log_port import Item, Log
from collector.reading import read_body
from collector.request import Request
from collector.room import SMALL, Room
from collector.routes import Route
from schemas.arrival import arrival
from schemas.dates import stamp
from schemas.errors import Invalid
from schemas.limits import Limits

SLICE = 200
"""Messages judged in one turn: a few milliseconds' worth."""

SPREAD = 2
"""A batch's `context` is stored with each of its messages: together they may be this many times the largest body."""

_NOTHING_SHARED = Shared()


class Ingest(msgspec.Struct, frozen=True, kw_only=True):
    keys: Keys
    log: Log
    now: Callable[[], float]
    """Seconds since 1970."""
    new_id: Callable[[], str]
    limits: Limits
    body_seconds: float
    salt: Callable[[int], bytes]
    """The secret of the day (UTC) of a moment in ms."""
    room: Room
    """For large bodies."""
    turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    """Batches take turns: whoever waits for it lets the event loop look at its sockets, the log's above all.

    Without it the loop would judge all batches that are there before it writes the rest of a flush.
    """

    async def answer(self, route: Route, request: Request, receive: Receive) -> Answer:
        """Raises EdgeError or LogUnavailable for the answers that say so, ClientGone for none."""
        dialect = route.dialect
        headers = request.headers
        if dialect is None:
            grant = self.keys.outside_body(headers, request.query)
        else:
            grant = dialect.outside(request, self.keys)
        envelope: Batch | Shared | None = None
        body = text = await read_body(receive, headers, self.limits.body_bytes, self.body_seconds, self.room)
        received_ms = int(self.now() * 1000)
        try:
            encoding = headers.get(b"content-encoding")
            if encoding is not None:
                text = inflated(body, encoding, self.limits.body_bytes)
                if len(text) > SMALL:
                    self.room.hold(len(text))
            if dialect is not None:
                grant = grant or dialect.inside(text, self.keys)
                return await self._take_told(dialect, request, grant, received_ms, text)
            if route.kind is not None:
                grant = grant or self.keys.inside_body((decoding.write_key(text),))
                return await self._take_one(route, grant, received_ms, text)
            envelope = decoding.batch(text)
            grant = grant or self.keys.inside_body(decoding.write_keys(envelope))
            return await self._take_many(route, grant, received_ms, envelope, len(text))
        except BadBody as bad:
            bad.__traceback__ = envelope = None  # a body of a million members would stay in memory while we wait
            if grant is not None:
                await self.log.put([], [quarantine.of_body(bad, text, grant, stamp(received_ms), route.path)])
            raise

    async def _take_one(self, route: Route, grant: Grant, received_ms: int, body: bytes) -> Answer:
        terms = self._terms(grant, received_ms, route.kind, _NOTHING_SHARED)
        try:
            item = accept.alone(body, terms)
        except Invalid as invalid:
            refused = accept.refused(0, body, invalid, self.limits)
            await self._put([], [refused], grant, terms, route.path)
            return answers.worded(answers.refused_message(invalid.violations))
        await self.log.put([item], [])
        return answers.SUCCESS

    async def _take_many(
        self, route: Route, grant: Grant, received_ms: int, envelope: Batch | Shared, size: int
    ) -> Answer:
        messages = self._messages(envelope, size)
        terms = self._terms(grant, received_ms, None, envelope)
        verdict = await _judged(messages, terms, self.turn)
        await self._put(verdict.items, verdict.refused, grant, terms, route.path)
        if not verdict.refused:
            return answers.SUCCESS
        if not verdict.items:
            return answers.worded(answers.all_rejected(verdict.refused))
        return answers.refused_in_part(len(verdict.items), verdict.refused)

    async def _take_told(
        self, dialect: Dialect, request: Request, grant: Grant, received_ms: int, text: bytes
    ) -> Answer:
        """Whatever another dialect says, told as Segment-spec messages."""
        facts = Facts(source=grant.source, received_ms=received_ms, address=request.peer, salt=self.salt)
        telling = dialect.read(request, text, facts)
        terms = telling_terms(grant.source, telling, received_ms, self.new_id, self.limits)
        verdict = await _judged([msgspec.Raw(told.raw) for told in telling.messages], terms, self.turn)
        refused = [*telling.refused, *placed(telling, verdict.refused)]
        await self._put(verdict.items, refused, grant, terms, request.path)
        return dialect.stored(telling, len(verdict.items), sorted(refused, key=lambda each: each.index))

    async def _put(
        self, items: Sequence[Item], refused: Sequence[Refused], grant: Grant, terms: Terms, path: str
    ) -> None:
        received_at = terms.arrival.received_at
        await self.log.put(items, [quarantine.of_message(each, grant, received_at, path) for each in refused])

    def _messages(self, envelope: Batch | Shared, size: int) -> list[msgspec.Raw]:
        if not isinstance(envelope, Batch):
            raise BadBody("batch_not_array", "`batch` should be an array of messages; one alone goes to /v1/track")
        messages = envelope.batch
        if not messages:
            raise BadBody("empty_batch", "`batch` holds no messages")
        if len(messages) > self.limits.batch_messages:
            words = f"`batch` holds {len(messages)} messages; the most is {self.limits.batch_messages}"
            raise BadBody("too_many_messages", words)
        shared = len(bytes(envelope.context)) + len(bytes(envelope.integrations))
        if size + shared * len(messages) > self.limits.body_bytes * SPREAD:
            raise BadBody("payload_too_large", "the batch's `context` is too large for this many messages")
        return messages

    def _terms(self, grant: Grant, received_ms: int, kind: str | None, shared: Shared) -> Terms:
        came = arrival(
            received_ms,
            kind=kind,
            sent_at=shared.sent_at,
            context=decoding.member(shared.context, self.limits),
            integrations=decoding.member(shared.integrations, self.limits),
        )
        return Terms(grant.source, came, self.new_id, self.limits)


async def _judged(messages: list[msgspec.Raw], terms: Terms, turn: asyncio.Lock) -> Verdict:
    whole = Verdict([], [])
    for start in range(0, len(messages), SLICE):
        async with turn:
            part = accept.each(start, messages[start : start + SLICE], terms)
        whole.items.extend(part.items)
        whole.refused.extend(part.refused)
    return whole
