"""The digests of the message ids in an archive file, side by side in the order of the messages.

They are derived from the messages and never vouch for anything: they are written without a sync, and whoever reads
them makes them anew when there are too few, or when a crash left a hole of zeros.
"""

import contextlib
import hashlib
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from destinations.disk import opened, write_all

WIDTH = 8
_HOLE = bytes(WIDTH)

# To go on from a copy is half the work.
_fresh = hashlib.blake2b(digest_size=WIDTH).copy


def digest(message_id: str) -> bytes:
    begun = _fresh()
    begun.update(message_id.encode())
    return begun.digest()


def write(path: Path, digests: Sequence[bytes], *, before: int = 0) -> None:
    """Note messages of a file, from the one with the number `before` on; what is missing before them stays a hole.

    Whoever writes at a place writes the same there, so nobody needs a lock.
    """
    # No disk, no right to write: the next search makes them anew.
    with contextlib.suppress(OSError), opened(path) as file:
        write_all(file, b"".join(digests), WIDTH * before)


def numbers(path: Path, wanted: bytes, count: int) -> list[int] | None:
    """Which of the file's `count` messages may have this digest, the last first; None when the ids cannot tell."""
    size = WIDTH * count
    if not size:
        return []
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < size:
                return None
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as known:
                if next(_places(known, _HOLE, size), None) is not None:
                    return None
                return list(_places(known, wanted, size))
    except FileNotFoundError:
        return None


def _places(known: mmap.mmap, wanted: bytes, end: int) -> Iterator[int]:
    """The last first. Eight bytes that lie across two digests do not count."""
    while (at := known.rfind(wanted, 0, end)) >= 0:
        if at % WIDTH == 0:
            yield at // WIDTH
        # The next one ends, at the latest, one byte before this one ends.
        end = at + WIDTH - 1
