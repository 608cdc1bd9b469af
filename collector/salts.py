"""The secrets of each day, of which ids of visitors are made that nobody can link from one day to the next."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache

import redis
from redis.exceptions import RedisError

from worker import salts
from worker.salts import BYTES, DAY_MS

EVERY = 600.0
"""Seconds between two looks; tomorrow's salt is known long before it is wanted."""

AGAIN_AFTER = 3.0
"""Seconds, while the log does not tell."""

logger = logging.getLogger(__name__)


def of_this_process(moment_ms: int) -> bytes:
    """The salt of the day of a moment, known to this process alone and gone with it."""
    return _of_day(moment_ms // DAY_MS)


@lru_cache(maxsize=3)
def _of_day(day: int) -> bytes:
    return os.urandom(BYTES)


class SharedSalts:
    """The salts that all collectors have; while the log has not told them, those of this process."""

    def __init__(self, client: "redis.Redis", *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._known: dict[int, bytes] = {}

    def __call__(self, moment_ms: int) -> bytes:
        return self._known.get(moment_ms // DAY_MS) or of_this_process(moment_ms)

    async def keep_fetching(self) -> None:
        """Until cancelled."""
        while True:
            known = await self.fetch()
            await asyncio.sleep(EVERY if known else AGAIN_AFTER)

    async def fetch(self) -> bool:
        """Ask for the salts of today and tomorrow; whether both are known. That of yesterday is forgotten."""
        today = int(self._now() * 1000) // DAY_MS
        try:
            self._known = await asyncio.to_thread(self._read, today)
        except RedisError as error:
            self._known = {day: salt for day, salt in self._known.items() if day >= today}
            logger.info("the log does not tell the salts of the day: %s", type(error).__name__)
        return {today, today + 1} <= self._known.keys()

    def close(self) -> None:
        self._client.close()

    def _read(self, today: int) -> dict[int, bytes]:
        days = [day for day in (today, today + 1) if day not in self._known]
        kept = {day: salt for day, salt in self._known.items() if day >= today}
        return kept | {day: salts.salt(self._client, day) for day in days}
