"""Whom the messages of an archive file speak of, beside the file, so that somebody's are found without reading all.

It is derived from the messages and never vouches for anything: whoever searches makes it, as far as it is missing, and
it may be removed at any time. It consists of runs, each a head and then, sorted, a digest and a number for each id that
a message names. A run counts once its head is there, which is written when the disk has the rest.
"""

import bisect
import contextlib
import fcntl
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from destinations.archive.ids import digest
from destinations.archive.layout import Slot
from destinations.disk import fsync_directory, locked, write_all
from destinations.profiles.node import Node

MOST = 65_536
"""Messages of a run that no other is merged into."""

_MAGIC = b"who1"
_HEAD = struct.Struct(">4sIIIQ")
_SUM = struct.Struct(">I")
HEAD = _HEAD.size + _SUM.size
ENTRY = 12
DIGEST = 8
BLOCK = 1_024 * ENTRY


class Run(msgspec.Struct, frozen=True):
    """The messages from number `first` on, `count` of them."""

    first: int
    count: int
    at: int
    """Where in the file its head is."""
    entries: int

    @property
    def upto(self) -> int:
        return self.first + self.count

    @property
    def body(self) -> int:
        return self.at + HEAD

    @property
    def end(self) -> int:
        return self.body + self.entries * ENTRY


def digest_of(node: Node) -> bytes:
    return digest(f"{node.kind} {node.value}")


def known(path: Path, inode: int, wanted: Collection[bytes]) -> tuple[int, list[int]]:
    """How many of the file's messages are gone through; and which of these may be wanted, rising.

    `inode` is that of the index: a file that was written anew has another one, and all is to be made anew.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            runs = _runs(file.fileno(), inode)
            found = {number for run in runs for each in wanted for number in _numbers(file.fileno(), run, each)}
    except FileNotFoundError:
        return 0, []
    return (runs[-1].upto if runs else 0), sorted(found)


def note(path: Path, inode: int, first: int, count: int, entries: list[bytes]) -> bool:
    """Keep what was found out about `count` messages; whether it could be kept."""
    try:
        with locked(path) as fd:
            runs = _runs(fd, inode)
            if (runs[-1].upto if runs else 0) != first:
                return True  # another search was faster
            _append(fd, inode, runs, first, count, entries)
            if not runs:
                fsync_directory(path.parent)
    except OSError:  # no disk, no right to write: the next search makes it anew
        return False
    return True


def forget(path: Path) -> None:
    """Whoever takes messages out of a file does this too: digests tell of ids."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _append(fd: int, inode: int, runs: Sequence[Run], first: int, count: int, entries: list[bytes]) -> None:
    """As a run of its own, with those before it that are no larger: so there are few of them."""
    at = runs[-1].end if runs else 0
    for run in reversed(runs):
        if run.count > count or run.count + count > MOST:
            break
        entries += _entries(os.pread(fd, run.entries * ENTRY, run.body))
        first, count, at = run.first, run.count + count, run.at
    entries.sort()
    os.ftruncate(fd, at)
    write_all(fd, b"".join(entries), at + HEAD)
    os.fsync(fd)
    head = _HEAD.pack(_MAGIC, first, count, len(entries), inode)
    write_all(fd, head + _SUM.pack(zlib.crc32(head)), at)


def _runs(fd: int, inode: int) -> list[Run]:
    """Those that count, in the order of their messages."""
    size = os.fstat(fd).st_size
    runs: list[Run] = []
    at = first = 0
    while run := _run(os.pread(fd, HEAD, at), at, inode):
        if run.first != first or run.end > size:
            break
        runs.append(run)
        at, first = run.end, run.upto
    return runs


def _run(head: bytes, at: int, inode: int) -> Run | None:
    if len(head) < HEAD or _SUM.unpack_from(head, _HEAD.size)[0] != zlib.crc32(head[: _HEAD.size]):
        return None
    magic, first, count, entries, of = _HEAD.unpack_from(head)
    return Run(first, count, at, entries) if magic == _MAGIC and of == inode else None


def _numbers(fd: int, run: Run, wanted: bytes) -> Iterator[int]:
    """Of the messages whose digest this is."""

    body = run.body

    def digest_at(place: int) -> bytes:
        return os.pread(fd, DIGEST, body + place * ENTRY)

    place = bisect.bisect_left(range(run.entries), wanted, key=digest_at)
    while place < run.entries:
        block = os.pread(fd, min(BLOCK, run.end - body - place * ENTRY), body + place * ENTRY)
        for each in _entries(block):
            if not each.startswith(wanted):
                return
            yield int.from_bytes(each[DIGEST:])
        place += BLOCK // ENTRY


def _entries(block: bytes) -> Iterator[bytes]:
    return (block[start : start + ENTRY] for start in range(0, len(block), ENTRY))


def path_of(root: Path, slot: Slot) -> Path:
    return slot.directory(root) / f"{slot.lane}.who"
