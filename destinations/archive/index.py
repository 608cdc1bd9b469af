"""What an archive file holds, as the index beside it says; and so what is still to be written. Pure."""

import bisect
from collections.abc import Iterable, Sequence

import msgspec

from destinations.archive.layout import Ordinal, ordinal


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the index: a compressed frame and the positions of the messages in it."""

    offset: int
    length: int
    first: str
    last: str
    count: int
    upto: int = 0
    """How many messages the file holds with this frame; 0 in lines of a time that did not write it."""
    places: tuple[int, ...] = ()
    """Where the messages stood, as `destinations.archive.places` packs it; () where first, last and count say it."""

    @property
    def end(self) -> int:
        return self.offset + self.length


class Item(msgspec.Struct, frozen=True):
    """A message to be written."""

    position: str
    body: bytes
    message_id: str = ""


class DamagedArchiveError(Exception):
    """Data and index contradict each other in a way that no crash leaves behind; somebody must look."""


_decode = msgspec.json.Decoder(Frame).decode
_encode = msgspec.json.encode


def frames(lines: bytes) -> tuple[list[Frame], int]:
    """The frames in the whole lines, and how many bytes these take; a torn last line does not count."""
    whole = lines.rfind(b"\n") + 1
    try:
        return [_decode(line) for line in lines[:whole].splitlines()], whole
    except msgspec.DecodeError as error:
        raise DamagedArchiveError("the index has a line that is not one") from error


def lines(written: Iterable[Frame]) -> bytes:
    return b"".join(_encode(frame) + b"\n" for frame in written)


class Covered:
    """The positions that are in a file, as ranges.

    A range stands for all of the file's messages between its ends: messages come in rising order, and a batch leaves
    none out. What was put off and comes later than its successors falls between ranges, and so is still written.
    """

    def __init__(self) -> None:
        self._ranges: list[tuple[Ordinal, Ordinal]] = []

    def add(self, first: Ordinal, last: Ordinal) -> None:
        if not self._ranges or first > self._ranges[-1][1]:
            self._ranges.append((first, last))
        else:
            bisect.insort(self._ranges, (first, last))

    def holds(self, at: Ordinal) -> bool:
        if not self._ranges or at > self._ranges[-1][1]:
            return False
        after = bisect.bisect_right(self._ranges, at, key=_first)
        return after > 0 and at <= self._ranges[after - 1][1]

    def begin_between(self, low: Ordinal, high: Ordinal) -> bool:
        """Whether a range begins between the two."""
        if not self._ranges or low >= self._ranges[-1][0]:
            return False
        after = bisect.bisect_right(self._ranges, low, key=_first)
        return after < len(self._ranges) and self._ranges[after][0] < high

    def runs(self, items: Sequence[Item]) -> list[list[Item]]:
        """The items not held yet, in rising runs that no known range interrupts; from now on they are held."""
        runs: list[list[Item]] = []
        start = end = None
        for item in items:
            at = ordinal(item.position)
            if start and end and (at <= end or self.begin_between(end, at)):
                self.add(start, end)
                start = None
            if self.holds(at):
                continue
            if start is None:
                start = at
                runs.append([])
            runs[-1].append(item)
            end = at
        if start and end:
            self.add(start, end)
        return runs


def _first(known: tuple[Ordinal, Ordinal]) -> Ordinal:
    return known[0]
