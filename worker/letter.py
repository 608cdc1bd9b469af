"""What is kept of a message that a destination will not get. Pure."""

import msgspec

from destinations.outcome import Exchange
from schemas.envelope import Envelope
from worker.parcel import Failure, Parcel

EXPIRED = "expired"
ADAPTER_ERROR = "adapter_error"
CRASHED = "crashed"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that a destination will not get, and why. Line, destination and position together name it."""

    message_id: str
    source: str
    line: str
    destination: str
    position: str
    reason: str
    code: str
    attempts: int
    first_failed_at_ms: int
    """0 when nobody knows."""
    died_at_ms: int
    user: str
    type: str
    event: str
    received_at: str
    trail: tuple[Failure, ...]
    request: str
    answer: str
    message: msgspec.Raw


def letter_of(
    parcel: Parcel, reason: str, code: str, exchange: Exchange | None, *, destination: str, now_ms: int
) -> bytes:
    """The letter of a message that has just been tried for the last time; `parcel` tells of that attempt too."""
    envelope = parcel.envelope
    head = envelope.head
    letter = DeadLetter(
        message_id=head.message_id,
        source=envelope.source,
        line=parcel.line,
        destination=destination,
        position=parcel.position,
        reason=reason,
        code=code,
        attempts=parcel.attempts,
        first_failed_at_ms=parcel.first_failed_ms,
        died_at_ms=now_ms,
        user=head.user_id or head.anonymous_id or "",
        type=head.type,
        event=_event(envelope),
        received_at=head.received_at,
        trail=parcel.trail,
        request=exchange.request if exchange else "",
        answer=exchange.answer if exchange else "",
        message=msgspec.Raw(envelope.body),
    )
    return msgspec.json.encode(letter)


def _event(envelope: Envelope) -> str:
    return envelope.head.event if isinstance(envelope.head.event, str) else ""
