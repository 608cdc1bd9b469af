"""List what was accepted of a source in one partition, by position: from the archive, and from the log itself."""

import datetime
import heapq
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import msgspec
import redis

from destinations.archive.index import Frame, frames
from destinations.archive.layout import HOUR
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of
from worker import keys
from worker.story import sortable

LOOK_AT = 200
"""Entries of one question: they bring their messages along."""

Rows = list[tuple[bytes, dict[bytes, bytes]]]

HOUR_MS = 3_600_000
SPOOLED_MS = 86_400_000
"""How long a message may have lain in a collector's spool to be found by its position in the log."""

SLACK_MS = 600_000
"""A file of an hour holds no message that reached the log longer than this before the hour: clocks may differ."""


_END = "~"
"""Sorts behind every position."""


class Window(msgspec.Struct, frozen=True):
    """The positions to look at: from `since` to before `until`, both sortable."""

    since: str = ""
    until: str = _END

    def holds(self, position: str) -> bool:
        return self.since <= position < self.until


def moment(ms: int) -> str:
    """What all positions of that moment and later sort behind."""
    return f"{ms:015d}"


def archived(root: Path, source: str, partition: int, window: Window) -> Iterator[str]:
    """The positions that the archive holds, rising; what it holds twice comes twice."""
    return filter(window.holds, _merged(_files(root, source, partition, window)))


def _merged(files: Iterable[tuple[int, Path]]) -> Iterator[str]:
    """Files of later hours may hold earlier positions, but not much earlier: so few frames are open at a time."""
    frames_held: list[tuple[str, int, Frame]] = []
    open_now: list[tuple[str, int, Iterator[str]]] = []
    numbers = itertools.count()
    for hour_ms, index in files:
        yield from _until(moment(max(0, hour_ms - SLACK_MS)), frames_held, open_now)
        for frame in frames(index.read_bytes())[0]:
            heapq.heappush(frames_held, (sortable(frame.first), next(numbers), frame))
    yield from _until(_END, frames_held, open_now)


def _until(
    bound: str, frames_held: list[tuple[str, int, Frame]], open_now: list[tuple[str, int, Iterator[str]]]
) -> Iterator[str]:
    """What comes before the bound, rising; it leaves the two heaps."""
    while True:
        position = open_now[0][0] if open_now else _END
        if frames_held and frames_held[0][0] <= position:
            _, number, frame = heapq.heappop(frames_held)
            _push(open_now, number, _positions(frame))
            continue
        if position >= bound:
            return
        _, number, rest = heapq.heappop(open_now)
        yield position
        _push(open_now, number, rest)


def _push(open_now: list[tuple[str, int, Iterator[str]]], number: int, rest: Iterator[str]) -> None:
    following = next(rest, None)
    if following is not None:
        heapq.heappush(open_now, (following, number, rest))


def _positions(frame: Frame) -> Iterator[str]:
    # An index line of an old version may not tell every position.
    return (sortable(position) for position in positions(frame) if position)


def _files(root: Path, source: str, partition: int, window: Window) -> Iterator[tuple[int, Path]]:
    """The index files of a lane, hour by hour, that may have to do with the window."""
    for directory in sorted((root / source).glob("*/*")):
        hour = f"{directory.parent.name}T{directory.name}"
        index = directory / f"{keys.lane(partition)}.index"
        if HOUR.fullmatch(hour) and index.exists():
            hour_ms = _milliseconds(hour)
            # What lay in a spool was received long before it has its position in the log, never after.
            if moment(hour_ms + HOUR_MS + SPOOLED_MS) >= window.since and moment(hour_ms - SLACK_MS) < window.until:
                yield hour_ms, index


def _milliseconds(hour: str) -> int:
    return int(datetime.datetime.fromisoformat(f"{hour}:00:00+00:00").timestamp() * 1000)


def logged(client: "redis.Redis", partition: int, line: str, window: Window) -> Iterator[str]:
    """The positions that are still in the log, rising."""
    for entry_id, bodies in _entries(client, partition, line, window):
        for number in range(len(bodies)):
            position = sortable(f"{entry_id}/{number}")
            if window.holds(position):
                yield position


def _entries(client: "redis.Redis", partition: int, line: str, window: Window) -> Iterator[tuple[str, list[bytes]]]:
    start = str(int(window.since[:15] or 0))
    while True:
        rows = cast(Rows, client.xrange(keys.log(partition, line), min=start, count=LOOK_AT))
        for entry_id, fields in rows:
            if sortable(entry_id.decode()) >= window.until:
                return
            # An entry without messages only tests the way; what comes from elsewhere was accepted there.
            own = fields.get(b"m") and not fields.get(b"l")
            yield entry_id.decode(), fields[b"m"].split(b"\n") if own else []
        if len(rows) < LOOK_AT:
            return
        start = f"({rows[-1][0].decode()}"


def body_in_log(client: "redis.Redis", partition: int, line: str, position: str) -> bytes | None:
    """The message at a sortable position, if the log still has it."""
    entry, _, number = position.partition("/")
    milliseconds, _, sequence = entry.partition("-")
    entry_id = f"{int(milliseconds)}-{int(sequence)}"
    for _, fields in cast(Rows, client.xrange(keys.log(partition, line), min=entry_id, max=entry_id)):
        bodies = fields[b"m"].split(b"\n") if fields.get(b"m") else []
        return bodies[int(number)] if int(number) < len(bodies) else None
    return None


def body_in_archive(root: Path, source: str, partition: int, position: str) -> bytes | None:
    """The message at a sortable position, if the archive has it."""
    near = Window(since=position, until=position + _END)
    for window in (near, Window()):
        for _, index in _files(root, source, partition, window):
            for frame in frames(index.read_bytes())[0]:
                if sortable(frame.first) <= position <= sortable(frame.last):
                    held = list(_positions(frame))
                    if position in held:
                        return bodies_of(index.with_suffix(".jsonl.zst"), frame)[held.index(position)]
    return None
