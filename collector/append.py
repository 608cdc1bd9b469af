"""Puts accepted messages into the log; those of concurrent requests travel in one call (group commit)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError

from collector.exchange import Exchange, Link, command
from collector.log_port import Item, LogFull, LogUnavailable, Refusal
from collector.lot import RETRY_AFTER, Lot, Strand
from worker import keys, scripts
from worker.appending import Terms, append_call, attach_call

MOST_GATHERED_BYTES = 67_108_864
"""What may wait in this process for the log; beyond it clients are asked to come back."""

RETRY_AFTER_FULL = 10

Answer = list[int] | LogUnavailable

Nudge = Callable[[Iterable[tuple[int, str]]], None]

logger = logging.getLogger(__name__)


class Appender:
    """One flush under way at a time, so that what one user sends stays in order."""

    def __init__(
        self,
        exchange: Exchange,
        terms: Terms,
        nudge: Nudge,
        *,
        replicas: int = 0,
        timeout: float = 2.0,
    ) -> None:
        self._exchange = exchange
        self._terms = terms
        self._nudge = nudge
        self._replicas = replicas
        self._timeout = timeout
        self._lot = Lot(terms.partitions)
        self._something = asyncio.Event()
        self._attached: set[tuple[int, str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="appender")

    async def stop(self) -> None:
        """Flush what is gathered, then end."""
        if self._task is None or self._stopping:
            return
        self._stopping = True
        self._something.set()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._exchange.close()

    def _at_work(self) -> bool:
        return self._task is not None and not self._task.done() and not self._stopping

    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        """Return once all are stored as durably as configured. Raises LogUnavailable, or LogFull."""
        if not self._at_work():
            raise LogUnavailable(RETRY_AFTER, "this collector is not at work")
        lot = self._lot
        if lot.size > MOST_GATHERED_BYTES:
            raise LogUnavailable(RETRY_AFTER, "too much is waiting for the log")
        waiter = asyncio.get_running_loop().create_future()
        lot.waiters.append((waiter, lot.take(items, refusals)))
        self._something.set()
        await waiter

    async def trouble(self) -> str | None:
        """Why the log could not take messages now; None when it can."""
        if not self._at_work():
            return "this collector is not at work"
        try:
            await self._exchange.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return f"the log server does not answer ({type(error).__name__})"
        return None

    async def _run(self) -> None:
        while self._lot.waiters or not self._stopping:
            await self._something.wait()
            self._something.clear()
            lot, self._lot = self._lot, Lot(self._terms.partitions)
            if not lot.waiters:
                continue
            try:
                await self._flush(lot)
            finally:
                lot.answer()

    async def _flush(self, lot: Lot) -> None:
        strands = list(lot.strands.values())
        try:
            answers = await self._send(strands)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("the log is away: %s", type(error).__name__)
            return
        pairs: list[tuple[int, str]] = []
        for strand, answer in zip(strands, answers, strict=True):
            strand.heard = True
            if isinstance(answer, LogUnavailable):
                strand.error = answer
            elif strand.bodies:
                destinations = self._terms.routes[strand.source]
                pairs += [(strand.partition, destinations[position - 1]) for position in answer[2:]]
        if pairs:
            self._nudge(pairs)

    async def _attach(self, link: Link, strands: Sequence[Strand]) -> None:
        """Before the first append to a stream: give it the groups that the configuration asks for."""
        new = [strand for strand in strands if (strand.partition, strand.source) not in self._attached]
        calls = []
        for strand in new:
            names, arguments = attach_call(strand.partition, strand.source, self._terms.routes[strand.source])
            calls.append(command("EVAL", scripts.ATTACH.text, len(names), *names, *arguments))
        for answer in await link.ask(calls):
            if isinstance(answer, RedisError):
                raise answer
        self._attached.update((strand.partition, strand.source) for strand in new)

    async def _send(self, strands: Sequence[Strand]) -> list[Answer]:
        """One round trip; a second one where the connection had gone stale since the last flush.

        It may be repeated: the script knows the messages that it has taken.
        """
        try:
            return await self._round_trip(strands)
        except (ConnectionLost, ConnectionError):
            return await self._round_trip(strands)

    async def _round_trip(self, strands: Sequence[Strand]) -> list[Answer]:
        async with self._exchange.link() as link:
            await self._attach(link, strands)
            calls, owners = self._calls(strands)
            results = await self._transaction(link, calls)
            unheard = [number for number, result in enumerate(results) if isinstance(result, NoScriptError)]
            if unheard:
                await link.ask([command("SCRIPT", "LOAD", script.text) for script in (scripts.APPEND, scripts.REFUSE)])
                again = await self._transaction(link, [calls[number] for number in unheard])
                for number, result in zip(unheard, again, strict=True):
                    results[number] = result
        return _judged(results, owners, len(strands))

    async def _transaction(self, link: Link, calls: Sequence[bytes]) -> list[object]:
        """The result of each call. Together they cost the server one write and one sync of its file.

        Apart, each call of more than a few kilobytes would cost a sync of its own: the server reads, works and
        syncs in turns.
        """
        ending = [command("EXEC")]
        if self._replicas:
            # In milliseconds, and shorter than ours: its answer has to come in time.
            ending.append(command("WAIT", self._replicas, int(self._timeout * 750)))
        answers = await link.ask([command("MULTI"), *calls, *ending])
        results = answers[len(calls) + 1]
        if not isinstance(results, list):
            # Nothing was done; the reason is with the call that could not even be queued.
            reason = next((answer for answer in answers if isinstance(answer, ResponseError)), results)
            return [reason] * len(calls)
        if self._replicas and not (isinstance(answers[-1], int) and answers[-1] >= self._replicas):
            behind = LogUnavailable(RETRY_AFTER, "no replica has confirmed the messages")
            return [result if isinstance(result, ResponseError) else behind for result in results]
        return results

    def _calls(self, strands: Sequence[Strand]) -> tuple[list[bytes], list[int]]:
        """The script calls of a flush, and for each the number of the strand that it belongs to."""
        calls: list[bytes] = []
        owners: list[int] = []
        for index, strand in enumerate(strands):
            at = (strand.partition, strand.source)
            if strand.bodies:
                names, arguments = append_call(self._terms, *at, strand.digests, strand.bodies)
                calls.append(command("EVALSHA", scripts.APPEND.sha, len(names), *names, *arguments))
                owners.append(index)
            if strand.refused:
                names = [keys.refused(*at), keys.count(*at)]
                calls.append(command("EVALSHA", scripts.REFUSE.sha, 2, *names, *strand.refused))
                owners.append(index)
        return calls, owners


def _judged(results: Sequence[object], owners: Sequence[int], size: int) -> list[Answer]:
    """What each strand is told, from the results of its calls."""
    answers: list[Answer] = [[] for _ in range(size)]
    for index, result in zip(owners, results, strict=True):
        match result:
            case OutOfMemoryError():
                answers[index] = LogFull(RETRY_AFTER_FULL)
            case ResponseError():
                logger.error("the log refused messages: %s", result)
                answers[index] = LogUnavailable(RETRY_AFTER, "the log refused the messages")
            case LogUnavailable():
                answers[index] = result
            case list() if not answers[index]:
                answers[index] = result
            case _:
                pass  # the number of refusals kept, or the error of the strand's other half
    return answers
