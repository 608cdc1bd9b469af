"""Work out when a message happened, from its client's clock and ours. Pure.

The client's clock may be wrong, but the time between making a message and sending it is right:
`timestamp = receivedAt - (sentAt - originalTimestamp)`.
"""

from typing import Any

import msgspec

from schemas.dates import EARLIEST, LATEST, moment, stamp, stamped_ms
from schemas.notes import Note, note

DAY = 86_400_000
ABSURD_SKEW = 3_652 * DAY
"""Ten years. A clock that is further off was never set, and correcting by it would move messages by decades."""


class Sending(msgspec.Struct, frozen=True):
    """When the client says that it sent the request, and what follows from that."""

    sent_at: str | None = None
    skew: int = 0
    """Milliseconds to add to the client's times; 0 when they stay as they are."""
    notes: tuple[Note, ...] = ()


_UNSAID = Sending()


def sending(sent_at: object, received_ms: int) -> Sending:
    if sent_at is None or sent_at == "":
        return _UNSAID
    if isinstance(sent_at, str):
        ms = stamped_ms(sent_at)
        if ms is not None and abs(received_ms - ms) <= ABSURD_SKEW:
            return Sending(sent_at, received_ms - ms)
    return _odd_sending(sent_at, received_ms)


def _odd_sending(sent_at: object, received_ms: int) -> Sending:
    sent = moment(sent_at)
    if sent is None:
        return Sending(notes=(note("sentAt", "not_a_date", sent_at),))
    notes = () if sent.zoned else (note("sentAt", "no_zone", sent_at),)
    skew = received_ms - sent.ms
    if abs(skew) > ABSURD_SKEW:
        return Sending(stamp(sent.ms), 0, (*notes, note("sentAt", "absurd_clock")))
    return Sending(stamp(sent.ms), skew, notes)


def settle_times(
    message: dict[str, Any], batch: Sending, received_at: str, received_ms: int, notes: list[Note]
) -> None:
    """Write `originalTimestamp`, `sentAt`, `receivedAt` and `timestamp` in their one form."""
    if "receivedAt" in message and _has_been_settled(message):
        _rewrite(message, notes)
        message["receivedAt"] = received_at
        return
    sent = _sending_of(message, batch, received_ms, notes) if "sentAt" in message or batch.notes else batch
    if sent.sent_at is not None:
        message["sentAt"] = sent.sent_at
    original = message.get("timestamp")
    ms = stamped_ms(original) if original.__class__ is str else None
    if ms is None or "originalTimestamp" in message:
        ms = _original(message, notes)
        original = received_at if ms is None else stamp(ms)
    message["originalTimestamp"] = original
    message["receivedAt"] = received_at
    if ms is None:
        message["timestamp"] = original
    elif EARLIEST <= (corrected := ms + sent.skew) <= received_ms:
        message["timestamp"] = stamp(corrected)
    else:
        message["timestamp"] = _guarded(ms, corrected, received_ms, notes)


def _sending_of(message: dict[str, Any], batch: Sending, received_ms: int, notes: list[Note]) -> Sending:
    """What the message says itself, else what its batch says."""
    own = sending(message.pop("sentAt", None), received_ms)
    if own.notes:
        notes.extend(own.notes)
    if own.sent_at is not None:
        return own
    notes.extend(batch.notes)
    return batch


def _guarded(ms: int, corrected: int, received_ms: int, notes: list[Note]) -> str:
    """The corrected moment, unless the correction leads out of the calendar."""
    if not EARLIEST <= corrected <= LATEST:
        notes.append(note("timestamp", "out_of_range"))
        corrected = ms
    if corrected - received_ms > DAY:
        notes.append(note("timestamp", "future"))
    return stamp(corrected)


def _original(message: dict[str, Any], notes: list[Note]) -> int | None:
    """When the client made the message, by its own clock: `timestamp`, else `originalTimestamp`."""
    said = message.get("originalTimestamp")
    ms = _read(message, "timestamp", notes)
    if ms is None:
        return _read(message, "originalTimestamp", notes)
    if said is not None and said != "":
        notes.append(note("originalTimestamp", "replaced", said))
    return ms


def _has_been_settled(message: dict[str, Any]) -> bool:
    """Whether a collector has been through it: a second correction would move its time once more."""
    return all(moment(message.get(name)) for name in ("originalTimestamp", "timestamp", "receivedAt"))


def _rewrite(message: dict[str, Any], notes: list[Note]) -> None:
    for name in ("originalTimestamp", "timestamp", "sentAt"):
        ms = _read(message, name, notes)
        if ms is not None:
            message[name] = stamp(ms)
        else:
            message.pop(name, None)


def _read(message: dict[str, Any], name: str, notes: list[Note]) -> int | None:
    value = message.get(name)
    if value is None or value == "":
        return None
    read = moment(value)
    if read is None:
        notes.append(note(name, "not_a_date", value))
        return None
    if not read.zoned:
        notes.append(note(name, "no_zone", value))
    return read.ms
