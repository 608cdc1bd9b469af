"""While the log is away or full, messages go round by the spool; one task brings them to the log, in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError

from collector.log_port import LogFull, LogRefused, LogUnavailable, Spooled
from collector.lot import RETRY_AFTER, Lot, Place, Put
from collector.memory import memory_of
from collector.sending import RETRY_AFTER_FULL, Sender
from collector.spool.slot import Slot
from collector.spool.spool import Spool, SpoolTrouble
from collector.spool.store import Record
from collector.suppression import Suppression
from worker.errors import WorkerError

SPOOL_FROM = 0.85
DRAIN_BELOW = 0.80
"""Shares of the log server's `maxmemory`: the rest is for the workers, who empty it."""

WATCH_EVERY = 1.0
ADOPT_EVERY = 5.0
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 2.0

FEW = 500
"""So many messages are brought in some hundredths of a second."""

Prepare = Callable[[], None]

logger = logging.getLogger(__name__)


class Detour:
    """`why` says whether messages take it. It is set, and taken back, between two looks at the event loop."""

    def __init__(
        self, sender: Sender, spool: Spool, prepare: Prepare | None = None, suppression: Suppression | None = None
    ) -> None:
        self._sender = sender
        self._spool = spool
        self._prepare = prepare
        self._suppression = suppression
        self._wake = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._task: asyncio.Task[None] | None = None
        self._adopt_at = 0.0
        self._stuck: set[Place] = set()
        self._brought = 0
        self.why: LogUnavailable | None = None
        """The trouble for which messages do not go straight to the log; None: they do."""

    async def start(self) -> None:
        """Look into the spool: what is in it goes first."""
        await self._spool.open()
        self._adopt_at = self._now() + ADOPT_EVERY
        if self._prepare is not None:
            self._take(_away("the log was away when this collector started"))
        elif not self._spool.drained:
            self._take(_away("messages that waited on this machine go first"))
        self._task = asyncio.get_running_loop().create_task(self._attend(), name="detour")

    async def stop(self) -> None:
        """What is in the spool stays there, for the next collector."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            await self._spool.close()

    def broken(self) -> bool:
        return self._task is not None and self._task.done()

    async def settled(self) -> LogUnavailable | None:
        """`why`; a moment later where the last messages are just being brought, for else there is always one more."""
        if not self._open.is_set():
            await self._open.wait()
        return self.why

    async def keep(self, puts: Sequence[Put], trouble: LogUnavailable) -> None:
        """Put these into the spool because of that trouble with the log, and tell those who wait."""
        self._take(trouble)
        try:
            await self._spool.add([(put.items, put.refusals) for put in puts])
        except SpoolTrouble as error:
            logger.warning("messages were not taken: %s, and %s", trouble.reason, error)
            both = type(trouble)(RETRY_AFTER_FULL, f"{trouble.reason}, and {error}")
            for put in puts:
                put.tell(both)
        else:
            for put in puts:
                put.tell(None)

    async def trouble(self) -> str | None:
        """Why messages could not be stored now, neither in the log nor here."""
        if self._spool.trouble is not None:
            await self._spool.try_out()
        if self.why is None or self._spool.trouble is None:
            return None
        return f"{self.why.reason}, and {self._spool.trouble}"

    def spooled(self) -> Spooled | None:
        if self.why is None:
            return None
        found = self._spool.account
        return Spooled(messages=found.messages, bytes=found.bytes, since=found.since, reason=self.why.reason)

    def _take(self, why: LogUnavailable) -> None:
        if self.why is None:
            logger.warning("messages go to %s for now: %s", self._spool.directory, why.reason)
            self._brought = 0
            self._wake.set()
        self.why = why

    def _leave(self) -> None:
        logger.info("messages go straight to the log again; %d had waited here", self._brought)
        self.why = None

    async def _attend(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await self._adopt()
            if self.why is None:
                pause = FIRST_PAUSE
                await self._watch()
                continue
            before = self._brought
            if await self._log_takes():
                await self._bring()
            if self.why is not None:
                pause = FIRST_PAUSE if self._brought > before else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _adopt(self) -> None:
        if self._now() < self._adopt_at:
            return
        self._adopt_at = self._now() + ADOPT_EVERY
        try:
            if await self._spool.adopt():
                self._take(_away("messages that another collector left on this machine go first"))
        except SpoolTrouble as trouble:
            logger.warning("cannot look for what other collectors left in %s: %s", self._spool.directory, trouble)

    async def _watch(self) -> None:
        """Leave the straight way before the server refuses, and before a client has to wait for a log that hangs."""
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), WATCH_EVERY)
        except TimeoutError:
            trouble = await self._trouble_of_log(SPOOL_FROM)
            if trouble is not None:
                self._take(trouble)

    async def _log_takes(self) -> bool:
        if self._prepare is not None and not await self._prepared(self._prepare):
            return False
        trouble = await self._trouble_of_log(DRAIN_BELOW)
        if trouble is not None:
            self._take(trouble)
        return trouble is None

    async def _prepared(self, prepare: Prepare) -> bool:
        """What had to be done before the first message, and could not be while the log was away."""
        try:
            await asyncio.to_thread(prepare)
        except (RedisError, OSError) as error:
            self._take(_no_answer(error))
        except WorkerError as error:
            logger.error("the log cannot be used: %s", error)
            self._take(_away("the log is not the one that this configuration is for"))
        else:
            self._prepare = None
        return self._prepare is None

    async def _trouble_of_log(self, most: float) -> LogUnavailable | None:
        try:
            memory = await memory_of(self._sender.exchange)
        except (RedisError, OSError, TimeoutError) as error:
            return _no_answer(error)
        return LogFull(RETRY_AFTER_FULL, "the log is nearly full") if memory.share >= most else None

    async def _bring(self) -> None:
        """Bring the spool to the log, until nothing waits any more or the log takes no more."""
        try:
            await self._spool.rewind()
            self._stuck.clear()
            while await self._bring_next():
                pass
        except SpoolTrouble as trouble:
            logger.error("the spool in %s cannot be read or emptied: %s", self._spool.directory, trouble)
        finally:
            self._open.set()

    async def _bring_next(self) -> bool:
        """Whether there is more to bring."""
        found = await self._spool.chunk()
        if found is not None:
            self._let_in(found[1])
            return await self._carry(*found)
        if self._spool.drained:
            self._leave()
            return False
        self._open.clear()
        # What is being written now can be brought next; what the log refuses stays for another round.
        return self._spool.coming > 0

    def _let_in(self, chunk: Sequence[Record]) -> None:
        """Messages may come to the spool, unless it is nearly empty: then they wait for the straight way."""
        if len(chunk) < FEW:
            self._open.clear()
        else:
            self._open.set()

    async def _carry(self, slot: Slot, chunk: list[Record]) -> bool:
        """Whether the log has answered for this chunk. What it has not is repeated: it knows what it has taken."""
        lot = Lot(self._sender.partitions)
        places = [_packed(record, lot, self._suppression) for record in chunk]
        for place in self._stuck:
            lot.strands.pop(place, None)
        if lot.strands:
            await self._sender.send(lot)
        for place, strand in lot.strands.items():
            trouble = strand.trouble()
            if isinstance(trouble, LogRefused):
                self._stuck.add(place)
            elif trouble is not None:
                self._take(trouble)
                return False
        stored = [record for record, place in zip(chunk, places, strict=True) if place not in self._stuck]
        self._brought += len(stored)
        await self._spool.go_on(slot, chunk, stored)
        trouble_now = await self._trouble_of_log(DRAIN_BELOW)
        if trouble_now is not None:
            self._take(trouble_now)
        return trouble_now is None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _packed(record: Record, lot: Lot, suppression: Suppression | None) -> Place | None:
    """Where it goes; None for what is not wanted any more."""
    item = record.item()
    if item is None:
        return lot.take_refused(record.id % lot.partitions, record.source, record.body)
    if suppression is not None and not suppression.let_in([item]):
        return None
    (place,) = lot.take([item], [])
    return place


def _no_answer(error: Exception) -> LogUnavailable:
    return _away(f"the log server does not answer ({type(error).__name__})")


def _away(reason: str) -> LogUnavailable:
    return LogUnavailable(RETRY_AFTER, reason)
