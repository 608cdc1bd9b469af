"""Fulfil what was asked for about users: at once, or one after the other in a thread of the clerk's."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import redis
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from destinations.archive.index import DamagedArchiveError
from destinations.sql.errors import DatabaseAway
from destinations.sql.wiping import wipe
from worker.config import Config
from worker.database.tables import METADATA
from worker.errors import WorkerError
from worker.forgetting import register, report
from worker.forgetting.conductor import Beside, Quiet, Teller, carry_out
from worker.forgetting.memory import digest_of
from worker.forgetting.regulation import Kind, State
from worker.forgetting.report import Report, Wish
from worker.stories.stores import Stores, stores_of

BEAT_EVERY = 5.0

TROUBLES = (redis.RedisError, WorkerError, DatabaseAway, SQLAlchemyError, DamagedArchiveError, OSError)

logger = logging.getLogger(__name__)


def ask(engine: Engine, kind: Kind, user: str, *, state: State = "INITIALIZED") -> str:
    """Write the wish down; its id. Raises DatabaseAway."""
    key = register.key_of(engine)
    return report.add(engine, kind, user, digest_of(key, user).hex(), state=state)


def fulfil(
    stores: Stores,
    wish: Wish,
    *,
    beside: Sequence[Beside] = (),
    teller: Teller | None = None,
    grace: float | None = None,
) -> Report:
    """Do it, and write down what came of it. Raises TROUBLES: it can be asked for again."""
    if not wish.asked:  # all was done but the end
        found = Report(left=tuple(filter(None, [wipe(stores.engine, list(METADATA.tables))])))
    else:
        telling = _Beating(stores.engine, wish.id, teller or Quiet())
        found = carry_out(stores, wish.kind, wish.asked, beside=beside, teller=telling, grace=grace)
    report.finish(stores.engine, wish.id, found)
    return found


class Attendant:
    """Works on the wishes in a thread, so that the clerk's other duties go on."""

    def __init__(self, client: "redis.Redis", engine: Engine, config: Config) -> None:
        self._stores = stores_of(client, engine, config)
        self._thread: threading.Thread | None = None

    def attend(self) -> None:
        """The duty: begin with the oldest wish that nobody works on. Raises DatabaseAway."""
        if self._thread is not None and self._thread.is_alive():
            return
        wish = report.take(self._stores.engine)
        if wish is not None:
            self._thread = threading.Thread(target=lambda: self._fulfil(wish), name="forgetting", daemon=True)
            self._thread.start()

    def _fulfil(self, wish: Wish) -> None:
        try:
            fulfil(self._stores, wish)
        except TROUBLES as error:
            logger.warning("%s could not be finished, and is tried again: %s", wish.id, type(error).__name__)


class _Beating:
    """Passes on what it is told, and gives a sign of life now and then."""

    def __init__(self, engine: Engine, number: str, teller: Teller, now: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._number = number
        self._teller = teller
        self._now = now
        self._due = 0.0

    def step(self, words: str, total: int) -> None:
        self._teller.step(words, total)
        self._beat()

    def done(self, number: int) -> None:
        self._teller.done(number)
        self._beat()

    def _beat(self) -> None:
        if self._now() >= self._due:
            self._due = self._now() + BEAT_EVERY
            report.beat(self._engine, self._number)
