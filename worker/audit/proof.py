"""Hold positions against what was told of them and what still waits: each must have exactly one place. Pure.

All three come in rising order, so that a million messages need no more memory than one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from worker.stories.told import Span
from worker.stories.waiting import Waiting

Wrong = Literal["missing", "twice", "both"]
"""`missing`: nobody knows what became of it. `twice`: it ended more than once. `both`: it ended, and waits."""


class Breach(msgspec.Struct, frozen=True):
    position: str
    wrong: Wrong
    fates: tuple[str, ...] = ()


class Tally:
    """How many messages are in which place."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()

    @property
    def messages(self) -> int:
        return sum(self.fates.values())


def breaches(
    positions: Iterable[str], spans: Iterable[Span], waiting: Waiting, tally: Tally, *, settled_ms: int
) -> Iterator[Breach]:
    """The positions that are not in exactly one place. Positions and spans (by `first`) must rise.

    What ended after `settled_ms` may still be listed as waiting: it was asked for before.
    """
    open_spans: list[Span] = []
    coming = iter(spans)
    following = next(coming, None)
    for position in positions:
        while following is not None and following.first <= position:
            open_spans.append(following)
            following = next(coming, None)
        if open_spans and any(span.last < position for span in open_spans):
            open_spans = [span for span in open_spans if span.last >= position]
        found = _judged(position, open_spans, waiting, settled_ms)
        if isinstance(found, Breach):
            yield found
        else:
            tally.fates[found] += 1


def _judged(position: str, spans: list[Span], waiting: Waiting, settled_ms: int) -> str | Breach:
    """Where the position is, or what is wrong with it."""
    if len(spans) > 1:
        return Breach(position, "twice", tuple(span.fate for span in spans))
    if not spans:
        return "waiting" if waiting.holds(position) else Breach(position, "missing")
    if spans[0].until_ms < settled_ms and waiting.holds(position):
        return Breach(position, "both", (spans[0].fate,))
    return spans[0].fate
