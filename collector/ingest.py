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
from collector.errors import BadBody, Forbidden
from collector.inflating import inflated
from collector.log_port import Item, Log, Store
from collector.meters import Meters
from collector.oauth.tokens import admit
from collector.policy import OPEN, is_allowed
from collector.provenance import provenance_of
from collector.reading import read_body
from collector.request import Headers, Request
from collector.room import SMALL, Room
from collector.routes import Route
from collector.visitor import NO_PROXIES, Proxies
from schemas.arrival import Arrival, arrival
from schemas.dates import stamp
from schemas.errors import Invalid
from schemas.limits import Limits

SLICE = 200
"""Messages judged in one turn: a few milliseconds' worth."""


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
    attaching: Store | None = None
    """The way to the log for sources whose messages get groups."""
    trusted: Proxies = NO_PROXIES
    meters: Meters = msgspec.field(default_factory=Meters)
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
        if grant is not None and grant.policy is not OPEN:
            self._let_in(grant, headers)
        envelope: Batch | Shared | None = None
        body = text = await read_body(receive, headers, self.limits.body_bytes, self.body_seconds, self.room)
        received_ms = int(self.now() * 1000)
        try:
            encoding = headers.get(b"content-encoding")
            if encoding is not None:
                text = self._inflated(body, encoding)
            if dialect is not None:
                grant = grant or self._let_in(dialect.inside(text, self.keys), headers)
                return await self._take_told(dialect, request, grant, received_ms, text)
            if route.kind is not None:
                grant = grant or self._let_in(self.keys.inside_body((decoding.write_key(text),)), headers)
                return await self._take_one(route, request, grant, received_ms, text)
            envelope = decoding.batch(text)
            grant = grant or self._let_in(self.keys.inside_body(decoding.write_keys(envelope)), headers)
            return await self._take_many(route, request, grant, received_ms, envelope, len(text))
        except BadBody as bad:
            bad.__traceback__ = envelope = None  # a body of a million members would stay in memory while we wait
            if grant is not None:
                self._meter(grant, 1, received_ms)
                await self.log.put([], [quarantine.of_body(bad, text, grant, stamp(received_ms), request.path)])
            raise

    def _inflated(self, body: bytes, encoding: bytes) -> bytes:
        text = inflated(body, encoding, self.limits.body_bytes)
        if len(text) > SMALL:
            self.room.hold(len(text))
        return text

    async def _take_one(self, route: Route, request: Request, grant: Grant, received_ms: int, body: bytes) -> Answer:
        terms = self._terms(request, grant, arrival(received_ms, kind=route.kind))
        try:
            item = accept.alone(body, terms)
        except Invalid as invalid:
            self._meter(grant, 1, received_ms)
            refused = accept.refused(0, body, invalid, self.limits)
            await self._put([], [refused], grant, terms, route.path)
            return answers.worded(answers.refused_message(invalid.violations))
        self._meter(grant, 1, received_ms)
        await self._log_for(grant).put([item], [])
        return answers.SUCCESS

    async def _take_many(
        self, route: Route, request: Request, grant: Grant, received_ms: int, envelope: Batch | Shared, size: int
    ) -> Answer:
        messages = decoding.messages(envelope, size, self.limits)
        terms = self._terms(request, grant, decoding.arrival_of(envelope, received_ms, self.limits))
        self._meter(grant, len(messages), received_ms)
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
        provenance = provenance_of(request, self.trusted, grant.policy, by_device=dialect.visited)
        facts = Facts(
            source=grant.source,
            received_ms=received_ms,
            address=provenance.address(),
            salt=self.salt,
            policy=grant.policy,
            limits=self.limits,
        )
        telling = dialect.read(request, text, facts)
        self._meter(grant, len(telling.messages) + len(telling.refused), received_ms)
        terms = telling_terms(grant.source, telling, received_ms, self.new_id, self.limits, provenance)
        verdict = await _judged([msgspec.Raw(told.raw) for told in telling.messages], terms, self.turn)
        refused = [*telling.refused, *placed(telling, verdict.refused)]
        await self._put(verdict.items, refused, grant, terms, request.path)
        return dialect.stored(telling, len(verdict.items), sorted(refused, key=lambda each: each.index))

    async def _put(
        self, items: Sequence[Item], refused: Sequence[Refused], grant: Grant, terms: Terms, path: str
    ) -> None:
        if not items and not refused:
            return
        received_at, ip = terms.arrival.received_at, terms.provenance.ip
        await self._log_for(grant).put(
            items, [quarantine.of_message(each, grant, received_at, path, ip) for each in refused]
        )

    def _log_for(self, grant: Grant) -> Store:
        return self.attaching if grant.policy.attach_groups and self.attaching is not None else self.log

    def _let_in(self, grant: Grant, headers: Headers) -> Grant:
        """The grant, if this client may make use of it. Raises Forbidden, Unauthorized or Expired."""
        policy = grant.policy
        if policy.oauth is not None:
            admit(policy.oauth, headers, self.now())
        if policy.origins is None:
            return grant
        origin = headers.get(b"origin")
        if origin is None or is_allowed(origin.decode("latin-1"), policy.origins):
            return grant
        raise Forbidden("origin_not_allowed", "scripts of this origin may not post with this write key")

    def _meter(self, grant: Grant, messages: int, received_ms: int) -> None:
        """Raises TooMany when so many cannot come in now."""
        rate = grant.policy.rate
        if rate is not None and messages:
            self.meters.take(grant.source, rate, messages, received_ms / 1000)

    def _terms(self, request: Request, grant: Grant, came: Arrival) -> Terms:
        provenance = provenance_of(request, self.trusted, grant.policy)
        return Terms(grant.source, came, self.new_id, self.limits, provenance)


async def _judged(messages: list[msgspec.Raw], terms: Terms, turn: asyncio.Lock) -> Verdict:
    whole = Verdict([], [])
    for start in range(0, len(messages), SLICE):
        async with turn:
            part = accept.each(start, messages[start : start + SLICE], terms)
        whole.items.extend(part.items)
        whole.refused.extend(part.refused)
    return whole
