"""Take one POST of messages from its first byte to its answer."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from starlette.types import Receive

from collector import accept, answers, decoding, quarantine
from collector.accept import Terms, Verdict
from collector.answers import Answer
from collector.auth import Grant, Keys
from collector.decoding import Batch, Shared
from collector.errors import BadBody
from collector.inflating import inflated
from collector.log_port import Log
from collector.reading import read_body
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
    turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    """Batches take turns: whoever waits for it lets the event loop look at its sockets, the log's above all.

    Without it the loop would judge all batches that are there before it writes the rest of a flush.
    """

    async def answer(self, route: Route, headers: Mapping[bytes, bytes], query: bytes, receive: Receive) -> Answer:
        """Raises EdgeError or LogUnavailable for the answers that say so, ClientGone for none."""
        grant = self.keys.outside_body(headers, query)
        body = text = await read_body(receive, headers, self.limits.body_bytes, self.body_seconds)
        received_ms = int(self.now() * 1000)
        try:
            encoding = headers.get(b"content-encoding")
            if encoding is not None:
                text = inflated(body, encoding, self.limits.body_bytes)
            if route.kind is not None:
                grant = grant or self.keys.inside_body((decoding.write_key(text),))
                return await self._take_one(route, grant, received_ms, text)
            envelope = decoding.batch(text)
            grant = grant or self.keys.inside_body(decoding.write_keys(envelope))
            return await self._take_many(route, grant, received_ms, envelope, len(text))
        except BadBody as bad:
            if grant is not None:
                await self.log.put([], [quarantine.of_body(bad, text, grant, stamp(received_ms), route.path)])
            raise

    async def _take_one(self, route: Route, grant: Grant, received_ms: int, body: bytes) -> Answer:
        terms = self._terms(grant, received_ms, route.kind, _NOTHING_SHARED)
        try:
            item = accept.alone(body, terms)
        except Invalid as invalid:
            refused = accept.refused(0, body, invalid, self.limits)
            refusal = quarantine.of_message(refused, grant, terms.arrival.received_at, route.path)
            await self.log.put([], [refusal])
            return answers.refused_message(invalid.violations)
        await self.log.put([item], [])
        return answers.SUCCESS

    async def _take_many(
        self, route: Route, grant: Grant, received_ms: int, envelope: Batch | Shared, size: int
    ) -> Answer:
        messages = self._messages(envelope, size)
        terms = self._terms(grant, received_ms, None, envelope)
        verdict = await _judged(messages, terms, self.turn)
        received_at = terms.arrival.received_at
        refusals = [quarantine.of_message(each, grant, received_at, route.path) for each in verdict.refused]
        await self.log.put(verdict.items, refusals)
        return answers.refused_batch(len(verdict.items), verdict.refused) if refusals else answers.SUCCESS

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
