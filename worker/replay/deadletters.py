"""Choose, among the dead letters of a destination, those that a selection wants."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Engine

from worker.letters.desk import Wanted, every
from worker.letters.resend import Routes, sendable
from worker.replay.matching import Matcher
from worker.replay.selection import Selection


class Chosen(msgspec.Struct, frozen=True):
    """Letters to send again, in the order in which their messages came in."""

    numbers: Sequence[int]
    samples: Sequence[tuple[str, bytes]]
    """Source and body of the first ones."""

    def parts(self, most: int) -> Iterator[Sequence[int]]:
        """So many at a time; 0: all at once."""
        step = most or max(1, len(self.numbers))
        for start in range(0, len(self.numbers), step):
            yield self.numbers[start : start + step]


def choose(engine: Engine, selection: Selection, destination: str, routes: Routes, *, samples: int) -> Chosen:
    """Raises BadExpression, DatabaseAway."""
    matcher = Matcher(selection)
    wanted = Wanted(destination=destination, state="dead")
    found = {
        letter.id: (letter.source, bytes(letter.message))
        for letter in every(engine, wanted)
        if letter.source in selection.sources and matcher.wants(bytes(letter.message))
    }
    numbers = [number for number in sendable(engine, wanted, routes) if number in found]
    return Chosen(numbers, [found[number] for number in numbers[:samples]])
