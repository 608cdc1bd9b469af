"""A place for one spool file in the data directory, which one collector holds at a time by a lock."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector.spool.store import Account, Put, Record, SpoolFull, Store
from worker.embedded import DirectoryInUse, DirectoryLock

MOST_SLOTS = 256
CHUNK_MESSAGES = 1_000
CHUNK_BYTES = 1_048_576
"""What is sent to the log at a time: new requests never wait for more than that."""

NOTHING = Account(0, 0, None)


class Slot:
    """The file in it is opened when it is needed, and opened anew after every failure.

    Methods raise sqlite3.Error or OSError, and have done nothing then.
    """

    def __init__(self, directory: Path, number: int, *, most_bytes: int) -> None:
        self.path = directory / f"{number}.db"
        self._most_bytes = most_bytes
        self._lock = DirectoryLock(directory / f"{number}.lock")
        self._open: Store | None = None
        self._last = 0
        self._position = 0
        self._finished: list[tuple[int, int]] = []
        self.passed_over = False
        """Records before `position` have stayed, because the log did not take them."""
        self.account = NOTHING

    @property
    def drained(self) -> bool:
        """Everything in it is in the log."""
        return self._position >= self._last and not self.passed_over

    def take(self) -> bool:
        """Whether it is ours from now on."""
        try:
            self._lock.take()
        except DirectoryInUse:
            return False
        return True

    def release(self) -> None:
        """Let others have it; a file with nothing in it goes."""
        with contextlib.suppress(sqlite3.Error, OSError):
            if self._open is not None and self._open.last() == 0:
                self._open.remove()
        self._close()
        self._lock.release()

    def look(self) -> None:
        """Open the file, and see what is in it."""
        with self._store():
            pass

    def add(self, puts: Sequence[Put], at: float) -> None:
        """All of it is on disk when this returns. Raises SpoolFull."""
        with self._store() as store:
            store.add(puts, at)
            self._last, self.account = store.last(), store.account()

    def chunk(self) -> list[Record]:
        """The records that come next on the way through the file."""
        if self._open is not None and self._position >= self._last:
            return []
        with self._store() as store:
            found = store.after(self._position, most_messages=CHUNK_MESSAGES, most_bytes=CHUNK_BYTES)
        if not found:
            self._position = self._last
        return found

    def rewind(self) -> None:
        """Begin again with what has stayed."""
        if self.passed_over:
            self._position, self.passed_over = 0, False

    def go_on(self, chunk: Sequence[Record], stored: Sequence[Record]) -> None:
        """Leave this chunk behind, of which these records are in the log: they go, now or with the next ones."""
        self._position = chunk[-1].id
        self.passed_over |= len(stored) < len(chunk)
        self._finished += [(record.id, len(record.body)) for record in stored]
        with self._store() as store:
            store.drop(self._finished)
            self._finished.clear()
            self.account = store.account()
            if self.account.messages == 0:
                store.shrink()

    def try_out(self, size: int) -> None:
        """Raises what `add` would raise for so many bytes."""
        with self._store() as store:
            store.try_out(size)

    @contextmanager
    def _store(self) -> Iterator[Store]:
        try:
            if self._open is None:
                self._open = Store(self.path, most_bytes=self._most_bytes)
                self._last, self.account = self._open.last(), self._open.account()
            yield self._open
        except SpoolFull:
            raise
        except (sqlite3.Error, OSError):
            self._close()
            raise

    def _close(self) -> None:
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
            self._open = None


def free_slots(directory: Path, *, most_bytes: int) -> Iterator[Slot]:
    """Slots that nobody holds, each taken, lowest number first."""
    for number in range(MOST_SLOTS):
        slot = Slot(directory, number, most_bytes=most_bytes)
        if slot.take():
            yield slot


def left_behind(directory: Path, *, most_bytes: int) -> Iterator[Slot]:
    """Slots with a file in them that nobody holds, each taken, lowest number first."""
    for number in sorted(int(path.stem) for path in directory.glob("*.db") if path.stem.isdigit()):
        slot = Slot(directory, number, most_bytes=most_bytes)
        if slot.take():
            yield slot
