"""What became of messages, in the shape in which a commit writes it down. Pure.

A commit adds one Passage to `keys.story(partition)`, in the same step in which it acknowledges: what is told there has
happened, and what has happened is told there. A passage costs about the same for one message as for a thousand.
"""

from typing import Literal

import msgspec

from destinations.outcome import Exchange

Fate = Literal["delivered", "filtered", "dead", "aside", "behind", "failed"]
"""`aside`: failed while others got through, waits in the retry lane. `behind`: waits there for an earlier message of
its user, untried. `failed`: tried in vain, stays in the log because the destination is out."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Messages of a passage with the same fate."""

    fate: Fate
    attempt: int = 1
    reason: str = ""
    code: str = ""
    due_ms: int = 0
    """When it is tried again; 0 where nobody knows yet."""
    positions: tuple[str, ...] | None = None
    """None: every message of the line from `first` to `last` that no other part of the passage names."""
    exchange: Exchange | None = None
    """A sample: what was said and answered for the first of them."""


class Passage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One batch of a line at a destination."""

    line: str
    destination: str
    at_ms: int
    parts: tuple[Part, ...]
    first: str = ""
    last: str = ""
    """Positions (`entry/number`), both included; "" where every part names its positions."""
    took_ms: int = 0
    owner: str = ""


def sortable(position: str) -> str:
    """A position as text that sorts like the log: "1700000000000-12/3" comes before "1700000000000-100/0"."""
    entry, _, number = position.partition("/")
    time, _, sequence = entry.partition("-")
    return f"{int(time):015d}-{int(sequence):010d}/{int(number or 0):05d}"


def position_of(text: str) -> str:
    """The position that `sortable` wrote so."""
    entry, _, number = text.partition("/")
    time, _, sequence = entry.partition("-")
    return f"{int(time)}-{int(sequence)}/{int(number)}"
