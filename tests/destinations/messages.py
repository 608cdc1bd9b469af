"""Make envelopes for tests."""

from collections.abc import Iterable
from typing import Any

import msgspec

from destinations.outcome import Deferred, Outcome, Rejected
from schemas.envelope import Envelope
from schemas.message import decode_head


def envelope(
    number: int = 0,
    *,
    user: str = "u1",
    source: str = "web",
    lane: str = "p07",
    received_at: str = "2024-05-06T07:08:09.123Z",
    position: str = "",
    attempt: int = 1,
    **members: Any,
) -> Envelope:
    """A track message; `number` makes its id and its position."""
    message = {
        "type": "track",
        "event": "Song Played",
        "messageId": f"m{number}",
        "userId": user,
        "originalTimestamp": received_at,
        "timestamp": received_at,
        "receivedAt": received_at,
        "context": {},
        "properties": {"number": number},
    } | members
    body = msgspec.json.encode(message)
    return Envelope(
        source=source,
        body=body,
        head=decode_head(body),
        lane=lane,
        position=position or f"1700000000000-{number}/0",
        attempt=attempt,
    )


def envelopes(count: int, **members: Any) -> list[Envelope]:
    return [envelope(number, **members) for number in range(count)]


def bare(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes without what was said and answered."""
    return [
        msgspec.structs.replace(one, exchange=None) if isinstance(one, Rejected | Deferred) else one for one in outcomes
    ]
