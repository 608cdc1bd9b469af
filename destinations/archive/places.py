"""Pack the positions of a frame's messages into a few numbers, and say each of them again. Pure.

Messages of one stream entry mostly stand side by side, so four numbers do for all of them: milliseconds since the
entry before, the entry's sequence, the number of the first message, how many follow each other.
"""

from collections.abc import Iterator, Sequence

from destinations.archive.index import Frame, Item

WIDTH = 4


def places(items: Sequence[Item]) -> tuple[int, ...]:
    """The positions of a run of messages; () where its first, last and count say as much."""
    spans = list(_spans(items))
    if len(spans) == 1:
        return ()
    packed: list[int] = []
    before = 0
    for entry, start, count in spans:
        time, _, sequence = entry.partition("-")
        packed += (int(time) - before, int(sequence or 0), start, count)
        before = int(time)
    return tuple(packed)


def _spans(items: Sequence[Item]) -> Iterator[tuple[str, int, int]]:
    """Entry, number of the first message, how many without a gap."""
    at, start, expected = "", 0, 0
    for item in items:
        entry, _, text = item.position.partition("/")
        number = int(text or 0)
        if entry != at or number != expected:
            if at:
                yield at, start, expected - start
            at, start = entry, number
        expected = number + 1
    yield at, start, expected - start


def positions(frame: Frame) -> list[str]:
    """The position of every message of the frame; "" for one that an old index line does not tell."""
    if not frame.places:
        return _from_ends(frame)
    found: list[str] = []
    time = 0
    for at in range(0, len(frame.places), WIDTH):
        later, sequence, start, count = frame.places[at : at + WIDTH]
        time += later
        found += [f"{time}-{sequence}/{number}" for number in range(start, start + count)]
    return found


def _from_ends(frame: Frame) -> list[str]:
    entry, _, first = frame.first.partition("/")
    last_entry, _, last = frame.last.partition("/")
    if entry == last_entry and int(last or 0) - int(first or 0) + 1 == frame.count:
        return [f"{entry}/{number}" for number in range(int(first or 0), int(last or 0) + 1)]
    return [frame.first, *[""] * (frame.count - 2), frame.last] if frame.count > 1 else [frame.first]
