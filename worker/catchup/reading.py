"""Read one lane of the archive in the order of the log, from a position on."""

import heapq
from collections.abc import Iterator
from pathlib import Path

from destinations.archive.index import frames
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of
from worker.entryids import milliseconds_of
from worker.story import sortable

Place = tuple[str, str, bytes]
"""sortable position, position, body"""

CLOCKS_APART = 3_600.0
"""Seconds by which the clock of the log's server and that of the archive's files may differ."""


def messages_after(root: Path, source: str, lane: str, after: str) -> Iterator[Place]:
    """The archived messages beyond the sortable position `after`, in the order of the log.

    A message lies in the file of the hour in which it was *received*; one that came through a spool may be hours
    older than its position. So all files that were written to since are read side by side.
    """
    oldest = milliseconds_of(after) / 1000 - CLOCKS_APART
    files = [path for path in sorted((root / source).glob(f"*/*/{lane}.index")) if path.stat().st_mtime >= oldest]
    yield from heapq.merge(*(_of_file(path, after) for path in files))


def _of_file(index: Path, after: str) -> Iterator[Place]:
    known, _ = frames(index.read_bytes())
    for frame in known:
        if sortable(frame.last) <= after:
            continue
        for position, body in zip(positions(frame), bodies_of(index.with_suffix(".jsonl.zst"), frame), strict=True):
            key = sortable(position)
            if key > after:
                yield key, position, body
