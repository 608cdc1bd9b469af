"""Drop what comes of users who are suppressed, before it is stored; while nobody is, nothing is looked at."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

import redis
from redis.exceptions import RedisError

from collector.log_port import Item, Refusal
from schemas.message import decode_head
from worker import keys
from worker.forgetting import memory
from worker.forgetting.memory import FOR_EVER, Memory
from worker.forgetting.person import named_in, owners

EVERY = 1.0
"""Seconds between two looks at who is suppressed."""

logger = logging.getLogger(__name__)


class Suppression:
    """`memory` is None while nobody is suppressed: that is all that a message costs then."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._state = ""
        self.memory: Memory | None = None
        self._dropped: Counter[str] = Counter()

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """See who is suppressed now, and tell how much was dropped. Without the log what is known stays."""
        dropped, self._dropped = self._dropped, Counter()
        try:
            self.memory = await asyncio.to_thread(self._look, dropped)
        except RedisError as error:
            self._dropped.update(dropped)
            logger.info("the log does not tell who is suppressed: %s", type(error).__name__)

    def close(self) -> None:
        self._client.close()

    def let_in(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those that may be stored."""
        known = self.memory
        if known is None:
            return items
        kept = [item for item in items if not _suppressed(known, item)]
        if len(kept) < len(items):
            self._dropped.update(item.source for item in items)
            self._dropped.subtract(item.source for item in kept)
        return kept

    def let_aside(self, refusals: Sequence[Refusal]) -> Sequence[Refusal]:
        """Those that may be kept for a person to look at."""
        known = self.memory
        if known is None:
            return refusals
        return [one for one in refusals if not any(known.suppresses(name) for name in named_in(one.raw))]

    def _look(self, dropped: Counter[str]) -> Memory | None:
        for source, number in dropped.items():
            if number:
                self._client.hincrby(keys.SUPPRESSED, source, number)
        state = memory.state_of(self._client)
        if state == self._state:
            return self.memory
        found = memory.read(self._client)
        self._state = state
        return found if found is not None and FOR_EVER in found.until.values() else None


def _suppressed(known: Memory, item: Item) -> bool:
    """An alias names a former id too; and a group may have the name of a user."""
    if not known.suppresses(item.user) and b'"previousId"' not in item.body:
        return False
    return any(known.suppresses(each) for each in owners(decode_head(item.body), item.body))
