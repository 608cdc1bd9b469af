"""Look users, groups and their messages up, without keeping the messages that come in waiting."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import msgspec

from collector.api.errors import Away, NotFound
from collector.profiles.aside import Aside, a_process, threads
from destinations.archive.index import DamagedArchiveError
from destinations.archive.recent import Page, Stand
from destinations.profiles.store import open_profiles
from destinations.sql.engine import Database, reading
from destinations.sql.errors import DatabaseAway
from destinations.sql.url import DatabaseUrl
from worker.config import Config
from worker.stories import people
from worker.stories.people import Sought

R = TypeVar("R")

SECONDS = 1.0
"""What a page of messages may take: what is not found by then is left to the next one."""

_log = logging.getLogger(__name__)


class Where(msgspec.Struct, frozen=True):
    """Where everything lies."""

    profiles: DatabaseUrl | None = None
    archives: tuple[str, ...] = ()
    partitions: int = 1


def where(config: Config) -> Where:
    return Where(config.profiles(), people.roots_of(config), config.log.partitions)


class Desk:
    """Opens the database when it is first asked, and again when it is another."""

    def __init__(
        self, where: Where, lookups: Callable[[], Executor] = threads, searches: Callable[[], Executor] = a_process
    ) -> None:
        self.where = where
        self._lookups = Aside(lookups)
        self._searches = Aside(searches)
        self._opening = threading.Lock()
        self._opened: tuple[DatabaseUrl, Database] | None = None

    async def ask(self, question: Callable[..., R], *args: object) -> R:
        """What `question` finds on a connection, which is its first argument."""
        url = self.where.profiles
        if url is None:
            raise NotFound("No destination keeps profiles here.")
        try:
            return await self._lookups.run(self._answer, url, question, args)
        except DatabaseAway as error:
            _log.warning("a question about profiles was not answered: %s", error)
            raise Away("The database of profiles is away.") from error

    async def search(self, sought: Sought, stand: Stand, limit: int) -> Page:
        try:
            return await self._searches.run(people.page, sought, stand, limit, SECONDS)
        except (DamagedArchiveError, OSError) as error:
            _log.error("a search in the archive came to nothing: %s", error)
            raise Away("A file of the archive is damaged, or cannot be read.") from error

    def close(self) -> None:
        self._lookups.close()
        self._searches.close()
        if self._opened is not None:
            self._opened[1].dispose()

    def _answer(self, url: DatabaseUrl, question: Callable[..., R], args: Sequence[object]) -> R:
        with reading(self._database(url)) as connection:
            return question(connection, *args)

    def _database(self, url: DatabaseUrl) -> Database:
        with self._opening:
            if self._opened is None or self._opened[0] != url:
                if self._opened is not None:
                    self._opened[1].dispose()
                    self._opened = None
                self._opened = (url, open_profiles(url))
            return self._opened[1]
