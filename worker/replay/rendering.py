"""Show what a destination would be sent for a message, without sending it and without its secrets."""

from typing import Any

from destinations.adapter import Destination
from destinations.http.destination import HttpDestination
from destinations.http.said import exchange_of
from destinations.outcome import Filtered, Outcome, Rejected
from schemas.envelope import Envelope, decode_head
from worker import keys
from worker.lines import Line
from worker.routing import filtered

MOST_BODY = 2_048


def rendered(destination: Destination[Any], line: Line, body: bytes) -> str:
    """The requests as text; the message itself where the destination does not speak HTTP; or why nothing is sent."""
    envelope = _envelope(line, body)
    kept_from = filtered(envelope.head, destination.name, storage=destination.storage)
    if kept_from is not None:
        return f"nothing: {kept_from.reason}"
    if not isinstance(destination, HttpDestination):
        return _cut(envelope.body)
    match destination.preview(envelope):
        case list() as requests:
            return "\n\n".join(exchange_of(request, None, 0.0, destination.redact).request for request in requests)
        case outcome:
            return f"nothing: {_why(outcome)}"


def _envelope(line: Line, body: bytes) -> Envelope:
    lane = f"{keys.lane(0)}~{line.way}"
    head = decode_head(body)
    return Envelope(source=line.source, body=body, head=head, lane=lane, position="0-0/0", replay=line.replay or "")


def _cut(body: bytes) -> str:
    rest = len(body) - MOST_BODY
    return body[:MOST_BODY].decode(errors="replace") + (f"... and {rest} more bytes" if rest > 0 else "")


def _why(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Filtered | Rejected) else type(outcome).__name__
