"""Decide, from a batch's outcomes, what happens to each entry. Pure."""

import math
from collections.abc import Sequence

import msgspec

from destinations.outcome import Deferred, Delivered, Filtered, Outcome, Rejected
from schemas.envelope import Envelope
from worker.entryids import milliseconds_of
from worker.retry import RetryPolicy

EXPIRED = "expired"


class Parcel(msgspec.Struct, frozen=True):
    """One message on its way: where it lies in the log, and what the destination gets."""

    entry: str
    number: int
    envelope: Envelope


class DeadLetter(msgspec.Struct, frozen=True, rename="camel"):
    """A message that a destination will not get, and why."""

    message_id: str
    source: str
    destination: str
    position: str
    reason: str
    code: str
    attempts: int
    died_at_ms: int
    message: msgspec.Raw


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit writes down."""

    finished: tuple[str, ...] = ()
    unfinished: tuple[tuple[str, tuple[int, ...]], ...] = ()
    letters: tuple[bytes, ...] = ()
    delivered: int = 0
    filtered: int = 0
    attempts: int = 0
    pause_ms: int = 0
    reason: str = ""

    def clean(self) -> bool:
        """Everything in the batch is finished with."""
        return not self.unfinished


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What settle may not find out for itself."""

    destination: str
    now_ms: int
    attempts: int
    chance: float


def settle(
    entries: Sequence[str],
    results: Sequence[tuple[Parcel, Outcome]],
    policy: RetryPolicy,
    moment: Moment,
) -> Settlement:
    """`entries` are all ids of the batch in log order; those whose messages are all finished get acknowledged."""
    attempt = moment.attempts + 1
    delivered = filtered = 0
    letters: list[bytes] = []
    again: dict[str, list[int]] = {}
    failures: list[Deferred] = []
    for parcel, outcome in results:
        match outcome:
            case Delivered():
                delivered += 1
            case Filtered():
                filtered += 1
            case Rejected(reason=reason, code=code):
                letters.append(_letter(parcel, reason, code, attempt, moment))
            case Deferred(reason=reason) if _age(parcel, moment.now_ms) > policy.horizon and _tried(outcome):
                letters.append(_letter(parcel, reason, EXPIRED, attempt, moment))
            case Deferred():
                again.setdefault(parcel.entry, []).append(parcel.number)
                failures += [outcome] if _tried(outcome) else []
    pause = _pause(failures, attempt, policy, moment.chance)
    return Settlement(
        finished=tuple(entry for entry in entries if entry not in again),
        unfinished=tuple((entry, tuple(numbers)) for entry, numbers in again.items()),
        letters=tuple(letters),
        delivered=delivered,
        filtered=filtered,
        attempts=attempt if failures else (moment.attempts if again else 0),
        pause_ms=math.ceil(pause * 1000),
        reason=failures[0].reason if failures else "",
    )


def _tried(outcome: Deferred) -> bool:
    return outcome.after != 0.0


def _age(parcel: Parcel, now_ms: int) -> float:
    return (now_ms - milliseconds_of(parcel.entry)) / 1000


def _pause(failures: Sequence[Deferred], attempt: int, policy: RetryPolicy, chance: float) -> float:
    if not failures:
        return 0.0
    asked = [failure.after for failure in failures if failure.after is not None]
    return policy.wait(attempt, chance, max(asked, default=None))


def _letter(parcel: Parcel, reason: str, code: str, attempt: int, moment: Moment) -> bytes:
    envelope = parcel.envelope
    letter = DeadLetter(
        message_id=envelope.head.message_id,
        source=envelope.source,
        destination=moment.destination,
        position=envelope.position,
        reason=reason,
        code=code,
        attempts=attempt,
        died_at_ms=moment.now_ms,
        message=msgspec.Raw(envelope.body),
    )
    return msgspec.json.encode(letter)
