"""Judge what was refused once more, as if it came in now but at its own time. Pure."""

import hashlib
from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from collector import accept, decoding
from collector.accept import Refused, Terms, Verdict
from collector.dialects.dialect import Dialect, Facts, Telling, placed, telling_terms
from collector.errors import BadBody
from collector.log_port import Item
from collector.policy import OPEN, Policy
from collector.provenance import remembered
from collector.quarantine import KEPT_BYTES
from collector.request import Request
from collector.routes import route_of
from schemas.arrival import Arrival, arrival
from schemas.errors import Invalid, Violation
from schemas.limits import Limits
from worker.database.tables import LONGEST_INDEXED


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused, as far as judging it needs."""

    digest: str
    source: str
    kind: str
    path: str
    raw: bytes
    size: int
    received_at_ms: int
    policy: Policy = OPEN
    """Of its source, as it is now."""


class Judged(msgspec.Struct, frozen=True):
    """The messages that can go now, and what is still wrong with the others (or with all of it)."""

    items: tuple[Item, ...]
    refused: tuple[Refused, ...]


def judged(held: Held, limits: Limits) -> Judged:
    """What is in it now. A message without a messageId gets the same one however often this is asked."""
    if held.size > len(held.raw) and len(held.raw) >= KEPT_BYTES:
        return _nothing(
            held, "size", f"{KEPT_BYTES:,} bytes long", f"{held.size:,} bytes long, of which the rest is lost"
        )
    if len(held.path) >= LONGEST_INDEXED:
        return _nothing(held, "path", "a whole path", "cut, and with it perhaps the name of a user")
    try:
        return _message(held, limits) if held.kind == "message" else _body(held, limits)
    except BadBody as bad:
        return _nothing(held, "body", "messages", bad.message, bad.code)


def _message(held: Held, limits: Limits) -> Judged:
    """One that came alone or in a batch; what the batch said for all its messages was not kept."""
    route = route_of(held.path)
    if route is not None and route.dialect is not None:
        telling = route.dialect.repaired(_request(held, route.dialect), held.raw)
        if telling is not None:
            return _judged(held, telling, limits)
    terms = _terms(held, arrival(held.received_at_ms, kind=route.kind if route else None), limits)
    try:
        return Judged((accept.alone(held.raw, terms),), ())
    except Invalid as invalid:
        return Judged((), (accept.refused(0, held.raw, invalid, limits),))


def _body(held: Held, limits: Limits) -> Judged:
    """A whole request that could not be read as messages."""
    route = route_of(held.path)
    if route is not None and route.dialect is not None:
        return _told(held, route.dialect, limits)
    if route is not None and route.kind is not None:
        return _message(held, limits)
    envelope = decoding.batch(held.raw)
    messages = decoding.messages(envelope, len(held.raw), limits)
    terms = _terms(held, decoding.arrival_of(envelope, held.received_at_ms, limits), limits)
    verdict: Verdict = accept.each(0, messages, terms)
    return Judged(tuple(verdict.items), tuple(verdict.refused))


def _told(held: Held, dialect: Dialect, limits: Limits) -> Judged:
    """A whole request in another dialect, without its headers and its query: they were not kept."""
    facts = Facts(
        source=held.source, received_ms=held.received_at_ms, address="", salt=lambda moment_ms: b"", limits=limits
    )
    return _judged(held, dialect.read(_request(held, dialect), held.raw, facts), limits)


def _request(held: Held, dialect: Dialect) -> Request:
    return Request(dialect.methods[0], held.path, quote(held.path).encode(), b"", {}, "")


def _judged(held: Held, telling: Telling, limits: Limits) -> Judged:
    ids = _ids(held.digest).__next__
    terms = telling_terms(held.source, telling, held.received_at_ms, ids, limits, remembered(held.policy))
    verdict = accept.each(0, [msgspec.Raw(told.raw) for told in telling.messages], terms)
    return Judged(tuple(verdict.items), (*telling.refused, *placed(telling, verdict.refused)))


def _terms(held: Held, came: Arrival, limits: Limits) -> Terms:
    return Terms(held.source, came, _ids(held.digest).__next__, limits, remembered(held.policy))


def _ids(digest: str) -> Iterator[str]:
    """Always the same ones, so that a second release of the same thing is known for what it is."""
    number = 0
    while True:
        yield hashlib.blake2b(f"{digest}/{number}".encode(), digest_size=16).hexdigest()
        number += 1


def _nothing(held: Held, rule: str, expected: str, found: str, code: str = "bad_request") -> Judged:
    violation = Violation(path="", rule=rule, expected=expected, found=found, code=code)
    return Judged((), (Refused(0, None, held.raw, (violation,)),))
