"""The spool as the event loop sees it: the disk is touched in a thread of its own, never by the loop."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from collector.spool.shelf import Shelf
from collector.spool.slot import Slot
from collector.spool.store import Account, Put, Record, SpoolFull

P = ParamSpec("P")
T = TypeVar("T")

TRIAL_BYTES = 1_048_576
"""What must fit before a spool that had no room counts as working again; an eighth of a small spool."""

logger = logging.getLogger(__name__)


class SpoolTrouble(Exception):
    """Nothing was kept. The words are for clients: without paths, without secrets."""


class Spool:
    """Keeps messages on this machine until they are in the log."""

    def __init__(self, directory: Path, *, most_bytes: int, now: Callable[[], float]) -> None:
        self.directory = directory
        self._most_bytes = most_bytes
        self._now = now
        self._shelf = Shelf(directory, most_bytes=most_bytes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self.coming = 0
        """Writes under way."""
        self.trouble: str | None = None
        """Why the last write failed."""

    @property
    def drained(self) -> bool:
        """Nothing waits here, and nothing is about to: between two looks at the event loop this stays true."""
        return self.coming == 0 and self._shelf.drained()

    @property
    def account(self) -> Account:
        return self._shelf.account()

    async def open(self) -> None:
        """Take a slot, and what others left behind. A failure is told, and tried again with the first write."""
        try:
            await self._written(self._shelf.open)
            await self.adopt()
        except SpoolTrouble as trouble:
            logger.error("nothing can be kept in %s while the log is away: %s", self.directory, trouble)

    async def add(self, puts: Sequence[Put]) -> None:
        """On disk when this returns, all together. Raises SpoolTrouble."""
        self.coming += 1
        try:
            await self._written(self._shelf.add, puts, self._now())
        finally:
            self.coming -= 1

    async def try_out(self) -> None:
        """See whether `trouble` is over."""
        with contextlib.suppress(SpoolTrouble):
            await self._written(self._shelf.try_out, min(TRIAL_BYTES, self._most_bytes // 8))

    async def adopt(self) -> bool:
        """Whether another collector had left something behind, which is ours now. Raises SpoolTrouble."""
        return await self._told(self._shelf.adopt)

    async def chunk(self) -> tuple[Slot, list[Record]] | None:
        """What comes next; None at the end. Raises SpoolTrouble."""
        return await self._told(self._shelf.chunk)

    async def go_on(self, slot: Slot, chunk: Sequence[Record], stored: Sequence[Record]) -> None:
        """Behind this chunk; what is stored in the log is deleted. Raises SpoolTrouble where that failed."""
        await self._told(slot.go_on, chunk, stored)

    async def rewind(self) -> None:
        await self._told(self._shelf.rewind)

    async def close(self) -> None:
        await self._told(self._shelf.close)
        self._thread.shutdown(wait=False)

    async def _written(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `_told`, and it is remembered whether it went well."""
        try:
            done = await self._told(act, *args, **kwargs)
        except SpoolTrouble as trouble:
            self.trouble = str(trouble)
            raise
        self.trouble = None
        return done

    async def _told(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, lambda: act(*args, **kwargs))
        except (SpoolFull, sqlite3.Error, OSError) as error:
            raise SpoolTrouble(_words(error)) from error


def _words(error: Exception) -> str:
    if isinstance(error, SpoolFull):
        return "the spool of this collector is full"
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return "the disk of this collector's spool is full"
    reason = error.strerror if isinstance(error, OSError) else getattr(error, "sqlite_errorname", None)
    return f"the spool of this collector does not work ({reason or type(error).__name__})"
