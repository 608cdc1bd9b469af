"""Where a destination stood when it was detached: what it had been given, and what of it is unfinished. Pure."""

from collections.abc import Mapping

import msgspec

from worker.story import sortable


class Stand(msgspec.Struct, frozen=True):
    """As `detach.lua` writes it down."""

    after: str
    """The last entry that the destination had been given."""
    left: Mapping[str, frozenset[int] | None] = {}
    """Of the entries up to there, those not finished: entry -> numbers of its messages; None: all of them."""

    def begins(self) -> str:
        """Text that sorts before the positions of all messages that it still wants, and after those before them."""
        entries = [sortable(entry).partition("/")[0] for entry in self.left]
        return min(entries, default=self.ends())

    def ends(self) -> str:
        """Text that sorts after the positions of all messages of `after`."""
        return sortable(f"{self.after}/99999")

    def wants(self, position: str) -> bool:
        """Whether it has not had the message at this position yet."""
        entry, _, number = position.partition("/")
        if sortable(entry) > sortable(self.after):
            return True
        if entry not in self.left:
            return False
        numbers = self.left[entry]
        return numbers is None or int(number) in numbers


def stand_of(text: str) -> Stand:
    """From a text like "1700000000000-3 1700000000000-1/* 1700000000000-2/0,4": the last entry, then what is left."""
    after, *rest = text.split(" ")
    left = dict(part.split("/") for part in rest)
    return Stand(after, {entry: _numbers(numbers) for entry, numbers in left.items()})


def _numbers(text: str) -> frozenset[int] | None:
    return None if text == "*" else frozenset(map(int, text.split(",")))
