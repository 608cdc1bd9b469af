"""Put what happened to a batch into passages of the story. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from destinations.outcome import Exchange
from worker.parcel import Parcel
from worker.story import Fate, Part, Passage
from worker.verdict import Moment

MOST_SAMPLES = 10
"""So many exchanges with the destination are kept of a batch."""


class Told(msgspec.Struct, frozen=True):
    """A message and its fate. `untried`: nothing happened to it, and nothing is told."""

    parcel: Parcel
    fate: Fate | Literal["untried"]
    reason: str = ""
    code: str = ""
    wait_ms: int = 0
    exchange: Exchange | None = None


def passages(told: Sequence[Told], moment: Moment) -> tuple[bytes, ...]:
    """One for each line that the messages belong to."""
    lines: dict[str, list[Told]] = {}
    for one in told:
        lines.setdefault(one.parcel.line, []).append(one)
    return tuple(
        msgspec.json.encode(_passage(line, of_line, moment))
        for line, of_line in lines.items()
        if any(one.fate != "untried" for one in of_line)
    )


def delivered(first: Parcel, last: Parcel, moment: Moment) -> bytes:
    """The passage of a batch of which every message was delivered."""
    passage = Passage(
        line=first.line,
        destination=moment.destination,
        at_ms=moment.now_ms,
        parts=(Part(fate="delivered", attempt=first.attempts + 1),),
        first=first.position,
        last=last.position,
        took_ms=moment.took_ms,
        owner=moment.owner,
    )
    return msgspec.json.encode(passage)


def _passage(line: str, told: Sequence[Told], moment: Moment) -> Passage:
    groups: dict[tuple[object, ...], list[Told]] = {}
    for one in told:
        if one.fate != "untried":
            groups.setdefault(_kind(one), []).append(one)
    largest = max(groups.values(), key=len) if _spanned(told, moment) else None
    parts = [_part(group, moment, named=group is not largest) for group in groups.values()]
    sampled = [part if number < MOST_SAMPLES else _unsampled(part) for number, part in enumerate(parts)]
    span = [one.parcel.position for one in told if one.fate != "untried"] if largest else [""]
    return Passage(
        line=line,
        destination=moment.destination,
        at_ms=moment.now_ms,
        parts=tuple(sampled),
        first=span[0],
        last=span[-1],
        took_ms=moment.took_ms,
        owner=moment.owner,
    )


def _kind(one: Told) -> tuple[object, ...]:
    return (one.fate, one.parcel.attempts, one.reason, one.code, one.wait_ms)


def _unsampled(part: Part) -> Part:
    return msgspec.structs.replace(part, exchange=None)


def _spanned(told: Sequence[Told], moment: Moment) -> bool:
    """Whether the messages with a fate are all that lie between the first and the last of them."""
    fated = [one.fate != "untried" for one in told]
    return moment.spanning and all(fated[: sum(fated)])


def _part(group: Sequence[Told], moment: Moment, *, named: bool) -> Part:
    first = group[0]
    assert first.fate != "untried"
    attempt = first.parcel.attempts + (first.fate in ("delivered", "filtered"))
    return Part(
        fate=first.fate,
        attempt=max(1, attempt),
        reason=first.reason,
        code=first.code,
        due_ms=moment.now_ms + first.wait_ms if first.fate == "aside" else 0,
        positions=tuple(one.parcel.position for one in group) if named else None,
        exchange=next((one.exchange for one in group if one.exchange), None),
    )
