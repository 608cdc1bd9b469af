"""All spool files that a collector holds: one of its own to write to, and those that others left behind."""

import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from collector.spool.slot import NOTHING, Slot, free_slots, left_behind
from collector.spool.store import Account, Put, Record

logger = logging.getLogger(__name__)


class Shelf:
    """What others left is older than what this collector writes, so it is first in line. Not for several threads.

    Methods raise sqlite3.Error or OSError, and have done nothing then.
    """

    def __init__(self, directory: Path, *, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._own: Slot | None = None
        self._adopted: list[Slot] = []
        self._damaged: set[Path] = set()

    def open(self) -> None:
        """Take a slot, and look into it."""
        if self._own is None:
            if not self._directory.is_dir():
                self._create()
            self._own = self._free()

    def _create(self) -> None:
        """A power cut must not take the directory with all that is in it: its name has to be on disk too."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        parent = os.open(self._directory.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    def _free(self) -> Slot:
        for slot in free_slots(self._directory, most_bytes=self._most_bytes):
            if self._readable(slot):
                return slot
        raise OSError("every slot of the spool is taken")

    def adopt(self) -> bool:
        """Take what collectors left behind that are no more. Whether there was something."""
        before = len(self._adopted)
        for slot in left_behind(self._directory, most_bytes=self._most_bytes):
            if slot.path not in self._damaged and self._readable(slot) and not slot.drained:
                logger.warning("messages that another collector left in %s go to the log from here", slot.path)
                self._adopted.append(slot)
            else:
                slot.release()
        return len(self._adopted) > before

    def _readable(self, slot: Slot) -> bool:
        """A damaged file is left as it is, for a person to look at."""
        try:
            slot.look()
        except sqlite3.OperationalError:
            slot.release()
            raise
        except sqlite3.DatabaseError as error:
            slot.release()
            self._damaged.add(slot.path)
            logger.error("the spool file %s is damaged, and not touched: %s", slot.path, error)
            return False
        return True

    def add(self, puts: Sequence[Put], at: float) -> None:
        """Raises SpoolFull."""
        self.open()
        assert self._own is not None, "open takes a slot or raises"
        self._own.add(puts, at)

    def chunk(self) -> tuple[Slot, list[Record]] | None:
        """What comes next, and where it is from; None at the end."""
        for slot in [slot for slot in self._adopted if slot.drained]:
            self._adopted.remove(slot)
            slot.release()
        for slot in self._slots():
            if found := slot.chunk():
                return slot, found
        return None

    def rewind(self) -> None:
        for slot in self._slots():
            slot.rewind()

    def try_out(self, size: int) -> None:
        self.open()
        assert self._own is not None, "open takes a slot or raises"
        self._own.try_out(size)

    def drained(self) -> bool:
        return all(slot.drained for slot in self._slots())

    def account(self) -> Account:
        accounts = [slot.account for slot in self._slots()] or [NOTHING]
        since = [account.since for account in accounts if account.since is not None]
        return Account(
            sum(account.messages for account in accounts),
            sum(account.bytes for account in accounts),
            min(since, default=None),
        )

    def close(self) -> None:
        for slot in self._slots():
            slot.release()
        self._own, self._adopted = None, []

    def _slots(self) -> list[Slot]:
        return [*self._adopted, *([self._own] if self._own else [])]
