"""Hold positions against what was told of them and what still waits: each must have exactly one place. Pure.

Positions and spans come in rising order, so that a million messages need no more memory than one.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from worker.stories.told import Span
from worker.stories.waiting import Waiting

Wrong = Literal["missing", "twice", "both"]
"""`missing`: nobody knows what became of it. `twice`: it ended more than once. `both`: it ended, and waits."""

WAITING = "waiting"


class Breach(msgspec.Struct, frozen=True):
    position: str
    wrong: Wrong
    fates: tuple[str, ...] = ()


class Prover:
    """Knows the place of each message of a line at one destination, asked in rising order."""

    def __init__(self, spans: Iterator[Span], waiting: Waiting, *, settled_ms: int) -> None:
        """What ended at `settled_ms` or later may still be listed as waiting: that was asked before."""
        self._coming = spans
        self._following = next(spans, None)
        self._open: list[Span] = []
        self._waiting = waiting
        self._settled_ms = settled_ms

    def place(self, position: str) -> str | Breach:
        """How it ended, or WAITING, or what is wrong."""
        while self._following is not None and self._following.first <= position:
            self._open.append(self._following)
            self._following = next(self._coming, None)
        if any(span.last < position for span in self._open):
            self._open = [span for span in self._open if span.last >= position]
        return self._judged(position)

    def _judged(self, position: str) -> str | Breach:
        spans = self._open
        if len(spans) > 1:
            return Breach(position, "twice", tuple(span.fate for span in spans))
        if not spans:
            return WAITING if self._waiting.holds(position) else Breach(position, "missing")
        if spans[0].until_ms < self._settled_ms and self._waiting.holds(position):
            return Breach(position, "both", (spans[0].fate,))
        return spans[0].fate
