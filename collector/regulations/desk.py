"""Write wishes to be forgotten down, and look up what became of them, beside the event loop."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar, cast

from collector.api.errors import Away, NotFound
from collector.profiles.aside import Aside, threads
from destinations.sql.engine import Database
from destinations.sql.errors import DatabaseAway
from worker.config import Config
from worker.database.engine import open_database, url_of
from worker.forgetting import register, report, wishes
from worker.forgetting.regulation import Kind
from worker.forgetting.report import Wish

R = TypeVar("R")

_log = logging.getLogger(__name__)


class Desk:
    """Opens the database when it is first asked, and again when the configuration names another."""

    def __init__(self, config: Config | None, lookups: Callable[[], Executor] = threads) -> None:
        self.config = config
        self._lookups = Aside(lookups)
        self._opening = threading.Lock()
        self._opened: tuple[str, Database] | None = None

    async def add(self, kind: str, users: Sequence[str]) -> list[str]:
        def added(database: Database) -> list[str]:
            return [wishes.ask(database, cast(Kind, kind), user) for user in users]

        return await self._ask(added)

    async def get(self, number: str) -> Wish | None:
        return await self._ask(lambda database: report.get(database, number))

    async def newest(self, most: int, states: Sequence[str], kinds: Sequence[str], after: str) -> list[Wish]:
        return await self._ask(
            lambda database: report.newest(database, most=most, states=states, kinds=kinds, after=after)
        )

    async def suppressed(self, most: int, after: str) -> list[tuple[str, int]]:
        return await self._ask(lambda database: register.suppressed(database, most=most, after=after))

    def close(self) -> None:
        self._lookups.close()
        if self._opened is not None:
            self._opened[1].dispose()

    async def _ask(self, question: Callable[[Database], R]) -> R:
        config = self.config
        if config is None:
            raise NotFound("Nothing is kept here.")
        try:
            return await self._lookups.run(lambda: question(self._database(config)))
        except DatabaseAway as error:
            _log.warning("a question about who is forgotten was not answered: %s", error)
            raise Away("The database is away.") from error

    def _database(self, config: Config) -> Database:
        url = str(url_of(config))
        with self._opening:
            if self._opened is None or self._opened[0] != url:
                if self._opened is not None:
                    self._opened[1].dispose()
                    self._opened = None
                self._opened = (url, open_database(config))
            return self._opened[1]
