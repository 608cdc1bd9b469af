"""Put other messages in the place of some in the archive, so that a crash at any moment leaves it readable.

New frames go to the end of the data file. Then the index is exchanged as a whole: that moment decides. Only then the
old frames are overwritten with zeros. Who repeats it after a crash finishes what is left.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import zstandard

from destinations.archive.index import Frame, frames, lines
from destinations.archive.layout import Slot
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of
from destinations.disk import fsync_directory, locked, opened, write_all

LEVEL = 3
PIECE = 1 << 20
"""Bytes that are overwritten at a time."""

Replace = Callable[[Sequence[bytes]], list[bytes] | None]
"""The messages of a frame as they shall be; None when all stay."""


def erase(root: Path, slot: Slot, replace: Replace) -> list[str]:
    """The positions of the messages that were exchanged ("" where nobody can tell).

    Raises OSError, DamagedArchiveError.
    """
    exchanged: list[str] = []
    if not _concerned(root, slot, replace):
        return []
    with locked(slot.index(root)) as index:
        known, _ = frames(os.pread(index, os.fstat(index).st_size, 0))
        if not known:
            return []
        found = _replaced(slot.data(root), known, replace)
        if found:
            exchanged = [
                where for number, bodies in found.items() for where in _changed(slot, root, known[number], bodies)
            ]
            known = _exchange(root, slot, known, found)
        _wipe(slot.data(root), known)
    return exchanged


def _concerned(root: Path, slot: Slot, replace: Replace) -> bool:
    """Whether something is to be done: looked at without keeping the writer waiting."""
    known, _ = frames(slot.index(root).read_bytes())
    whole = sum(frame.length for frame in known) == (slot.data(root).stat().st_size if known else 0)
    return not whole or any(replace(bodies_of(slot.data(root), frame)) is not None for frame in known)


def _replaced(data: Path, known: Sequence[Frame], replace: Replace) -> dict[int, list[bytes]]:
    """By the number of their frame."""
    asked = ((number, replace(bodies_of(data, frame))) for number, frame in enumerate(known))
    return {number: bodies for number, bodies in asked if bodies is not None}


def _changed(slot: Slot, root: Path, frame: Frame, bodies: Sequence[bytes]) -> Iterator[str]:
    before = bodies_of(slot.data(root), frame)
    for position, old, new in zip(positions(frame), before, bodies, strict=True):
        if old != new:
            yield position


def _exchange(root: Path, slot: Slot, known: Sequence[Frame], found: dict[int, list[bytes]]) -> list[Frame]:
    """The frames as they lie now."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    end = max(frame.end for frame in known)
    payloads = {number: compressor.compress(b"".join(each + b"\n" for each in one)) for number, one in found.items()}
    with opened(slot.data(root)) as data:
        os.ftruncate(data, end)  # what no index vouches for is a write that was torn
        write_all(data, b"".join(payloads.values()), end)
        os.fsync(data)
    after = list(known)
    for number, payload in payloads.items():
        after[number] = msgspec.structs.replace(known[number], offset=end, length=len(payload))
        end += len(payload)
    _put_index(slot.index(root), lines(after))
    for derived in (slot.index(root).with_suffix(suffix) for suffix in (".ids", ".who")):
        derived.unlink(missing_ok=True)
    return after


def _put_index(index: Path, text: bytes) -> None:
    fresh = index.with_name(f"{index.name}.new")
    with opened(fresh) as file:
        os.ftruncate(file, 0)
        write_all(file, text, 0)
        os.fsync(file)
    fresh.replace(index)
    fsync_directory(index.parent)


def _wipe(data: Path, known: Sequence[Frame]) -> None:
    """Overwrite whatever no frame covers."""
    end = max(frame.end for frame in known)
    with opened(data) as file:
        if sum(frame.length for frame in known) == os.fstat(file).st_size:
            return
        os.ftruncate(file, end)
        for start, until in _gaps(known):
            _zero(file, start, until)
        os.fsync(file)


def _gaps(known: Sequence[Frame]) -> Iterator[tuple[int, int]]:
    at = 0
    for frame in sorted(known, key=lambda one: one.offset):
        if frame.offset > at:
            yield at, frame.offset
        at = max(at, frame.end)


def _zero(file: int, start: int, until: int) -> None:
    for at in range(start, until, PIECE):
        size = min(PIECE, until - at)
        if os.pread(file, size, at).strip(b"\0"):
            write_all(file, bytes(size), at)


def leftovers(root: Path) -> int:
    """Remove what a crash left of an exchange of indexes; how many files."""
    found = list(root.glob("*/*/*/*.index.new"))
    for file in found:
        with suppress(FileNotFoundError):
            file.unlink()
    return len(found)
