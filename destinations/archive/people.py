"""Find the messages of the archive that speak of somebody: a user, a visitor, a group."""

import time
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import msgspec

from destinations.archive import who
from destinations.archive.index import Frame, frames
from destinations.archive.layout import Slot
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of, count_of
from destinations.archive.spoken import Spoken, spoken
from destinations.profiles.node import Node

ENOUGH_MESSAGES = 1_000
ENOUGH_FRAMES = 32
"""So much is kept for the next search also while the file still grows; less is looked through again."""

BATCH = 16_384
"""Messages that are gone through before time is looked at again."""

QUIET = 60.0
"""Seconds after which a file has, as a rule, stopped growing."""

NEVER = float("inf")


class Mention(msgspec.Struct, frozen=True):
    """A message that names one of those who are looked for, and where it lies."""

    slot: Slot
    number: int
    """Its place in the file, from 0."""
    body: bytes
    spoken: Spoken


class Candidates(msgspec.Struct, frozen=True):
    numbers: list[int]
    """Of the messages that may speak of somebody, rising."""
    whole: bool
    """False when time was over before all of the file was gone through; the next search goes on from there."""
    kept: bool = False
    """Whether something was found out that the next search need not find out again."""


class Shelf:
    """One file of the archive, to take single messages from."""

    def __init__(self, root: Path, slot: Slot) -> None:
        self.slot = slot
        self._data = slot.data(root)
        self._frames, _ = frames(slot.index(root).read_bytes())
        self._ends = list(accumulate(frame.count for frame in self._frames))
        self._open: tuple[int, list[bytes]] = (-1, [])

    def frame_of(self, number: int) -> int:
        """Which frame, from 0, holds the message."""
        return bisect_right(self._ends, number)

    def body(self, number: int) -> bytes:
        place = self.frame_of(number)
        return self._bodies(place)[number - self._start(place)]

    def position(self, number: int) -> str:
        """`entry/number`; "" where the index line is so old that nobody can tell."""
        place = self.frame_of(number)
        return positions(self._frames[place])[number - self._start(place)]

    def mentions(self, numbers: Iterable[int], nodes: Collection[Node]) -> Iterator[Mention]:
        """Of these messages those that do speak of one of them, in the order of `numbers`."""
        for number in numbers:
            body = self.body(number)
            said = spoken(body)
            if any(node in nodes for node in said.nodes()):
                yield Mention(self.slot, number, body, said)

    def _start(self, place: int) -> int:
        return self._ends[place] - self._frames[place].count

    def _bodies(self, place: int) -> list[bytes]:
        if self._open[0] != place:
            self._open = (place, bodies_of(self._data, self._frames[place]))
        return self._open[1]


def mentions(root: Path, slots: Iterable[Slot], nodes: Collection[Node]) -> Iterator[Mention]:
    """Every archived message that names one of these ids, file by file, in the order in which they lie there."""
    for slot in slots:
        found = candidates(root, slot, nodes)
        if found.numbers:
            yield from Shelf(root, slot).mentions(found.numbers, nodes)


def candidates(root: Path, slot: Slot, nodes: Collection[Node], deadline: float = NEVER) -> Candidates:
    """Which messages of the file may speak of one of them. What nobody looked at before is gone through once.

    `deadline`, by the monotonic clock, is kept only where the next search finds what this one has done.
    """
    wanted = {who.digest_of(node) for node in nodes}
    path, index = who.path_of(root, slot), slot.index(root)
    stat = index.stat()
    covered, numbers = who.known(path, stat.st_ino, wanted)
    if covered == count_of(index):
        return Candidates(numbers, whole=True)
    found, _ = frames(index.read_bytes())
    new = _beyond(found, covered)
    if new is None:  # the file has become shorter
        who.forget(path)
        new, covered, numbers = found, 0, []
    going = _Going(slot.data(root), path, stat.st_ino, wanted, quiet=stat.st_mtime < time.time() - QUIET)
    return going.through(new, covered, numbers, deadline)


class _Going(msgspec.Struct, frozen=True):
    """What it takes to go through the messages of a file."""

    data: Path
    who: Path
    inode: int
    wanted: Collection[bytes]
    quiet: bool

    def through(self, new: Sequence[Frame], number: int, numbers: list[int], deadline: float) -> Candidates:
        """`number` is that of the first new message; `numbers` are known already."""
        kept: list[bool] = []
        for batch in _batches(new):
            entries = _entries(self.data, batch, number)
            numbers += sorted(
                {int.from_bytes(one[who.DIGEST :]) for one in entries if one[: who.DIGEST] in self.wanted}
            )
            count = sum(frame.count for frame in batch)
            if self.quiet or count >= ENOUGH_MESSAGES or len(batch) >= ENOUGH_FRAMES:
                kept.append(who.note(self.who, self.inode, number, count, entries))
            number += count
            if all(kept) and time.monotonic() > deadline and batch[-1] is not new[-1]:
                return Candidates(numbers, whole=False, kept=True)
        return Candidates(numbers, whole=True, kept=any(kept))


def _beyond(found: Sequence[Frame], covered: int) -> Sequence[Frame] | None:
    """The frames after so many messages; None where none begins there."""
    ends = [0, *accumulate(frame.count for frame in found)]
    return found[ends.index(covered) :] if covered in ends else None


def _batches(new: Iterable[Frame]) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    count = 0
    for frame in new:
        batch.append(frame)
        count += frame.count
        if count >= BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _entries(data: Path, batch: Iterable[Frame], number: int) -> list[bytes]:
    """A digest and a number for each id that the messages name."""
    digests: dict[Node, bytes] = {}
    found: list[bytes] = []
    for frame in batch:
        for body in bodies_of(data, frame):
            end = number.to_bytes(who.ENTRY - who.DIGEST)
            for node in spoken(body).nodes():
                known = digests.get(node)
                if known is None:
                    known = digests[node] = who.digest_of(node)
                found.append(known + end)
            number += 1
    return found
