"""Decide of each message whether it is stored, or refused with its reasons. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from collector import decoding
from collector.log_port import Item
from collector.provenance import Provenance
from schemas.arrival import Arrival
from schemas.errors import Invalid, Violation
from schemas.limits import Limits
from schemas.message import identity_of
from schemas.normalise import normalise
from schemas.reading import read

_encode = msgspec.json.Encoder().encode


class Terms(msgspec.Struct, frozen=True):
    """What holds for every message of a request."""

    source: str
    arrival: Arrival
    new_id: Callable[[], str]
    limits: Limits
    provenance: Provenance = msgspec.field(default_factory=Provenance)


class Refused(msgspec.Struct, frozen=True):
    index: int
    message_id: str | None
    raw: bytes
    violations: tuple[Violation, ...]


class Verdict(msgspec.Struct, frozen=True):
    items: list[Item]
    refused: list[Refused]


def item(raw: bytes, terms: Terms) -> Item:
    """The message as it is stored. Raises Invalid."""
    limits, provenance = terms.limits, terms.provenance
    message = normalise(read(raw, limits), terms.arrival, terms.new_id, limits)
    if provenance.every or "direct" in message["context"]:
        provenance.settle(message)
    return _item(terms.source, message)


def _item(source: str, message: dict[str, Any]) -> Item:
    return Item(source, message["messageId"], identity_of(message), _encode(message))


def each(first: int, messages: Sequence[msgspec.Raw], terms: Terms) -> Verdict:
    """Every message judged alone; `first` is the place in the batch of the first of them."""
    verdict = Verdict([], [])
    accepted = verdict.items
    source, arrival, new_id, limits = terms.source, terms.arrival, terms.new_id, terms.limits
    provenance, settled = terms.provenance, terms.provenance.every
    for index, raw in enumerate(messages, first):
        text = bytes(raw)
        try:
            message = normalise(read(text, limits), arrival, new_id, limits)
            if settled or "direct" in message["context"]:
                provenance.settle(message)
            accepted.append(_item(source, message))
        except Invalid as invalid:
            verdict.refused.append(refused(index, text, invalid, limits))
    return verdict


def alone(body: bytes, terms: Terms) -> Item:
    """The message that is a whole body. Raises Invalid, or BadBody when it is not JSON."""
    try:
        return item(body, terms)
    except Invalid as invalid:
        if invalid.violations[0].rule != "json":
            raise
    return item(decoding.mended(body), terms)


def refused(index: int, raw: bytes, invalid: Invalid, limits: Limits) -> Refused:
    return Refused(index, decoding.message_id(raw, limits.message_id_chars), raw, invalid.violations)
