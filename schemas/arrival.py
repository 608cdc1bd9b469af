"""Know what is the same for all messages of one request."""

from typing import Any

import msgspec

from schemas.clocks import Sending, sending
from schemas.context import settled_context
from schemas.dates import stamp
from schemas.notes import Note
from schemas.objects import as_object


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as far as its messages are concerned. `arrival` makes it."""

    received_at_ms: int
    received_at: str
    kind: str | None
    """The type that the path says; None in a batch, where each message says its own."""
    sending: Sending
    context: dict[str, Any]
    integrations: dict[str, Any] | None
    notes: tuple[Note, ...]


def arrival(
    received_at_ms: int,
    *,
    kind: str | None = None,
    sent_at: object = None,
    context: object = None,
    integrations: object = None,
) -> Arrival:
    """The arrival of a request at a moment of the server's clock, with what its envelope says, as sent."""
    notes: list[Note] = []
    return Arrival(
        received_at_ms=received_at_ms,
        received_at=stamp(received_at_ms),
        kind=kind,
        sending=sending(sent_at, received_at_ms),
        context={} if context is None else settled_context(context, notes),
        integrations=None if integrations is None else as_object(integrations, "integrations", notes),
        notes=tuple(notes),
    )
