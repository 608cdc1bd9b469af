"""Puts accepted messages into the log; those of concurrent requests travel in one call (group commit)."""

import asyncio
from collections.abc import Sequence

from redis.exceptions import RedisError

from collector.exchange import Exchange
from collector.log_port import Item, LogUnavailable, Refusal, Spooled
from collector.lot import RETRY_AFTER, Lot
from collector.sending import Nudge, Sender
from collector.spool.detour import Detour, Prepare
from collector.spool.spool import Spool
from collector.suppression import Suppression
from worker.appending import Terms

MOST_GATHERED_BYTES = 67_108_864
"""What may wait in this process for the log; beyond it clients are asked to come back."""


class Appender:
    """One flush under way at a time, so that what one user sends stays in order.

    Without a spool, messages that the log does not take are not taken. With one they go there, and so does
    everything that comes after them until it has been emptied.
    """

    def __init__(
        self,
        exchange: Exchange,
        terms: Terms,
        nudge: Nudge,
        *,
        replicas: int = 0,
        timeout: float = 2.0,
        spool: Spool | None = None,
        prepare: Prepare | None = None,
        suppression: Suppression | None = None,
    ) -> None:
        """`prepare`: what must be done with the log before anything is appended, where that is still to be done."""
        self._exchange = exchange
        self._sender = Sender(exchange, terms, nudge, replicas=replicas, timeout=timeout)
        self._suppression = suppression
        self._detour = None if spool is None else Detour(self._sender, spool, prepare, suppression)
        self._lot = Lot(terms.partitions)
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), name="appender")
        if self._suppression is not None:
            self._looking = loop.create_task(self._suppression.keep_looking(), name="suppression")

    def renew(self, terms: Terms) -> None:
        """From the next flush on. What belongs to a source that is gone was accepted before, and still has its way."""
        self._sender.renew(terms)

    async def stop(self) -> None:
        """Flush what is gathered, then end."""
        if self._task is None or self._stopping:
            return
        self._stopping = True
        self._something.set()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._detour is not None:
            await self._detour.stop()
        if self._looking is not None and self._suppression is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._suppression.close()
        await self._exchange.close()

    def _at_work(self) -> bool:
        if self._task is None or self._stopping or self._task.done():
            return False
        return self._detour is None or not self._detour.broken()

    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        """Return once all are stored as durably as configured. Raises LogUnavailable, or LogFull."""
        if not self._at_work():
            raise LogUnavailable(RETRY_AFTER, "this collector is not at work")
        if self._lot.size > MOST_GATHERED_BYTES:
            raise LogUnavailable(RETRY_AFTER, "too much is waiting for the log")
        suppression = self._suppression
        if suppression is not None and suppression.memory is not None:
            items, refusals = suppression.let_in(items), suppression.let_aside(refusals)
            if not items and not refusals:
                return
        waiter = asyncio.get_running_loop().create_future()
        self._lot.add(waiter, items, refusals)
        self._something.set()
        await waiter

    async def trouble(self) -> str | None:
        """Why messages could not be stored now; None when they can."""
        if not self._at_work():
            return "this collector is not at work"
        if self._detour is not None:
            return await self._detour.trouble()
        try:
            await self._exchange.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return f"the log server does not answer ({type(error).__name__})"
        return None

    def spooled(self) -> Spooled | None:
        """What is kept here for the log; None while messages go straight to it."""
        return None if self._detour is None else self._detour.spooled()

    async def _run(self) -> None:
        try:
            if self._detour is not None:
                await self._detour.start()
            await self._flush_what_comes()
        finally:
            self._lot.answer()  # where we end by a bug, nobody is left waiting

    async def _flush_what_comes(self) -> None:
        while self._lot.puts or not self._stopping:
            await self._something.wait()
            self._something.clear()
            lot, self._lot = self._lot, Lot(self._sender.partitions)
            if not lot.puts:
                continue
            try:
                await self._store(lot)
            finally:
                lot.answer()

    async def _store(self, lot: Lot) -> None:
        detour = self._detour
        if detour is not None and detour.why is not None and (why := await detour.settled()) is not None:
            await detour.keep(lot.puts, why)
            return
        await self._sender.send(lot)
        if detour is None:
            return
        stranded = lot.stranded()
        if stranded:
            await detour.keep(stranded, lot.trouble(stranded[0].places) or LogUnavailable(RETRY_AFTER))
