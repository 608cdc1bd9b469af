"""Read the messages of somebody page by page, in the order in which they were received."""

import heapq
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from destinations.archive.hours import hours
from destinations.archive.layout import Slot
from destinations.archive.people import Mention, Shelf, candidates
from destinations.profiles.node import Node

Wanted = Callable[[Mention], bool]
Narrow = Callable[[Sequence[Slot]], Sequence[Slot]]


class Stand(msgspec.Struct, frozen=True, array_like=True):
    """How far a reader has come: what a page ends with, and the next one begins with."""

    since: str
    until: str
    """Times such as "2024-02-29T23:59:59.999Z"; what was received then is left out."""
    hour: str = ""
    """The one that is read, "2024-02-29T23"; "" at the beginning."""
    given: dict[str, int] = {}
    """Of each file of that hour, the last message that was looked at."""
    last: str = ""
    """The id of the last message that was given: a copy of it may lie in another file of the hour."""


class Page(msgspec.Struct, frozen=True):
    found: list[Mention]
    stand: Stand | None
    """Where to go on; None at the end. There may be more even where nothing was found: the time was over."""


class _Place(msgspec.Struct, frozen=True):
    """A file of one of the archives."""

    archive: int
    root: Path
    slot: Slot

    @property
    def name(self) -> str:
        return f"{self.archive}/{self.slot.source}/{self.slot.lane}"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for, and where."""

    roots: tuple[Path, ...]
    nodes: frozenset[Node]
    wanted: Wanted
    """Which of the messages that name one of them count."""
    narrow: Narrow = lambda slots: slots
    """Which of the files of an hour may hold them."""
    oldest_first: bool = False

    def page(self, stand: Stand, limit: int, deadline: float) -> Page:
        """Up to `limit` messages, from where the reader stands.

        When the time is over, by the monotonic clock, it gives what it has. Each page comes further, however little.
        """
        found: list[Mention] = []
        for number, (hour, places) in enumerate(self._hours(stand)):
            at = stand if stand.hour == hour else Stand(stand.since, stand.until, hour)
            if number and time.monotonic() > deadline:
                return Page(found, at)
            rest = self._read(at, places, found, limit, deadline)
            if rest is not None:
                return Page(found, rest)
        return Page(found, None)

    def _read(
        self, stand: Stand, places: Sequence[_Place], found: list[Mention], limit: int, deadline: float
    ) -> Stand | None:
        """Add what this hour has; None when it has no more."""
        given, last, begun = dict(stand.given), stand.last, False
        streams = self._streams(places, given, deadline)
        if streams is None:
            return stand
        for name, mention in heapq.merge(*streams, key=_received, reverse=not self.oldest_first):
            counts = self._counts(mention, stand) and mention.spoken.message_id != last
            if (counts and len(found) == limit) or (begun and time.monotonic() > deadline):
                return msgspec.structs.replace(stand, given=given, last=last)
            given[name], begun = mention.number, True
            if counts:
                last = mention.spoken.message_id
                found.append(mention)
        return None

    def _counts(self, mention: Mention, stand: Stand) -> bool:
        return stand.since <= mention.spoken.received_at < stand.until and self.wanted(mention)

    def _streams(
        self, places: Sequence[_Place], given: dict[str, int], deadline: float
    ) -> list[Iterator[tuple[str, Mention]]] | None:
        """The messages of each file; None when the time was over before all files were gone through."""
        streams = []
        for place in places:
            try:
                found = candidates(place.root, place.slot, self.nodes, deadline)
                numbers = self._left(found.numbers, given.get(place.name))
                if numbers:
                    streams.append(self._stream(place, Shelf(place.root, place.slot), numbers))
            except FileNotFoundError:  # removed since it was listed
                continue
            if not found.whole or (found.kept and time.monotonic() > deadline and place is not places[-1]):
                return None
        return streams

    def _stream(self, place: _Place, shelf: Shelf, numbers: Sequence[int]) -> Iterator[tuple[str, Mention]]:
        return ((place.name, mention) for mention in shelf.mentions(numbers, self.nodes))

    def _left(self, numbers: list[int], given: int | None) -> list[int]:
        if self.oldest_first:
            return numbers if given is None else numbers[bisect_right(numbers, given) :]
        return (numbers if given is None else numbers[: bisect_left(numbers, given)])[::-1]

    def _hours(self, stand: Stand) -> Iterator[tuple[str, list[_Place]]]:
        low, high = stand.since[:13], stand.until[:13]
        if stand.hour:
            low, high = (stand.hour, high) if self.oldest_first else (low, stand.hour)
        each = [self._of(archive, root, low, high) for archive, root in enumerate(self.roots)]
        merged = heapq.merge(*each, key=_hour, reverse=not self.oldest_first)
        for hour, found in groupby(merged, _hour):
            yield hour, [place for _, places in found for place in places]

    def _of(self, archive: int, root: Path, low: str, high: str) -> Iterator[tuple[str, list[_Place]]]:
        for hour, slots in hours(root, low, high, oldest_first=self.oldest_first):
            yield hour, [_Place(archive, root, slot) for slot in self.narrow(slots)]


def _received(found: tuple[str, Mention]) -> tuple[str, str]:
    said = found[1].spoken
    return said.received_at, said.message_id


def _hour(found: tuple[str, list[_Place]]) -> str:
    return found[0]
