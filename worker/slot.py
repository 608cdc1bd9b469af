"""A few bytes that a child process shares with its parent: when it was last well, and its last words."""

import mmap
import struct
import time

SIZE = 512
_HEAD = struct.Struct("=d?B")
_MOST = SIZE - _HEAD.size - 2


class Slot:
    """Made before the fork; the child writes, the parent reads. No lock: a torn read is corrected by the next."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SIZE)
        self._ready = False
        self._write(time.monotonic(), "")

    def ready(self) -> None:
        """It has begun to work."""
        self._ready = True
        self._write(time.monotonic(), "")

    def well(self, words: str = "") -> None:
        """All is well now; `words` say what it is about."""
        self._write(time.monotonic(), words)

    def last_words(self, words: str) -> None:
        """Why it ends, or what it is stuck in. The time of its last being well stays."""
        self._write(self._read()[0], words)

    def is_ready(self) -> bool:
        return self._read()[1]

    def age(self) -> float:
        """Seconds since it was last well."""
        return time.monotonic() - self._read()[0]

    def words(self) -> str:
        return self._read()[2]

    def close(self) -> None:
        self._memory.close()

    def _write(self, at: float, words: str) -> None:
        text = words.encode()[:_MOST]
        length = len(text).to_bytes(2, "big")
        self._memory[:] = (_HEAD.pack(at, self._ready, 0) + length + text).ljust(SIZE, b"\0")

    def _read(self) -> tuple[float, bool, str]:
        found = self._memory[:]
        at, is_ready, _ = _HEAD.unpack_from(found)
        start = _HEAD.size + 2
        length = int.from_bytes(found[_HEAD.size : start], "big")
        return at, is_ready, found[start : start + length].decode(errors="replace")
