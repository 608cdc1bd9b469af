"""Hold positions against what was told of them and what still waits: each must have exactly one place. Pure.

Positions and spans come in rising order, so that a million messages need no more memory than one.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from worker.stories.told import Span
from worker.stories.waiting import Waiting

Wrong = Literal["missing", "twice", "both", "letterless", "lost"]
"""`missing`: nobody knows what became of it. `twice`: it ended more than once. `both`: it ended, and waits.
`letterless`: it died, but there is no dead letter. `lost`: it died and was sent again, and then nobody knows."""

WAITING = "waiting"
DEAD = "dead"


class Breach(msgspec.Struct, frozen=True):
    position: str
    wrong: Wrong
    fates: tuple[str, ...] = ()


class Died(msgspec.Struct, frozen=True):
    """A message that died once or more often: its letter has to say whether it was sent again."""

    position: str
    fates: tuple[str, ...]
    """All its ends, in this order; all but the last are deaths."""
    waits: bool
    ended_ms: int


class Kept(msgspec.Struct, frozen=True):
    """A dead letter, as far as it proves something."""

    state: str
    state_at_ms: int
    retries: int
    away: bool = False
    """It was changed so that it belongs to another partition: what becomes of it is told there."""


class Prover:
    """Knows the place of each message of a line at one destination, asked in rising order."""

    def __init__(self, spans: Iterator[Span], waiting: Waiting, *, settled_ms: int) -> None:
        """What ended at `settled_ms` or later may still be listed as waiting: that was asked before."""
        self._coming = spans
        self._following = next(spans, None)
        self._open: list[Span] = []
        self._waiting = waiting
        self._settled_ms = settled_ms

    def place(self, position: str) -> str | Died | Breach:
        """How it ended, or WAITING, or that it died, or what is wrong."""
        while self._following is not None and self._following.first <= position:
            self._open.append(self._following)
            self._following = next(self._coming, None)
        if any(span.last < position for span in self._open):
            self._open = [span for span in self._open if span.last >= position]
        return self._judged(position)

    def _judged(self, position: str) -> str | Died | Breach:
        spans = sorted(self._open, key=lambda span: span.number)
        waits = self._waiting.holds(position)
        if not spans:
            return WAITING if waits else Breach(position, "missing")
        fates = tuple(span.fate for span in spans)
        if any(fate != DEAD for fate in fates[:-1]):
            return Breach(position, "twice", fates)
        if DEAD in fates:
            return Died(position, fates, waits, spans[-1].until_ms)
        if waits and spans[-1].until_ms < self._settled_ms:
            return Breach(position, "both", fates)
        return fates[-1]


def after_death(died: Died, letter: Kept | None, *, settled_ms: int, kept_since: str) -> str | Breach:
    """The place of a message that died, by its letter. Letters of messages before `kept_since` may be forgotten."""
    deaths, last = died.fates.count(DEAD), died.fates[-1]
    if letter is None:
        if died.position >= kept_since:
            return Breach(died.position, "letterless", died.fates)
        return WAITING if died.waits and last == DEAD else last
    if letter.away:
        return last
    if deaths - (last == DEAD) > letter.retries:
        return Breach(died.position, "twice", died.fates)
    sent_again = last == DEAD and letter.retries >= deaths
    if died.waits:
        wrong = not sent_again and died.ended_ms < settled_ms
        return Breach(died.position, "both", died.fates) if wrong else WAITING if sent_again else last
    # One that is just being sent again may have been on its way since it was asked what waits.
    if sent_again and letter.state == "retried" and letter.state_at_ms < settled_ms:
        return Breach(died.position, "lost", died.fates)
    return last
