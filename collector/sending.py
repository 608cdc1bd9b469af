"""Carries a lot to the log server in one round trip, and notes with each strand what the server said."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as ConnectionLost

from collector.exchange import Exchange, Link, command
from collector.log_port import LogFull, LogRefused, LogUnavailable
from collector.lot import RETRY_AFTER, Lot, Strand
from worker import keys, scripts
from worker.appending import Terms, append_call
from worker.crash import crash
from worker.tending import attach_call

RETRY_AFTER_FULL = 10

_PASSING = (ReadOnlyError, ClusterDownError, MasterDownError, NoPermissionError, NoScriptError, TryAgainError)
_PASSING_WORDS = ("MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE", "REDIRECT", "NOQUORUM")
"""What a server says that takes nothing at the moment, whatever the messages are."""

Answer = list[int] | LogUnavailable

Nudge = Callable[[Iterable[tuple[int, str]]], None]

logger = logging.getLogger(__name__)


class Sender:
    """Knows the scripts and the groups. It may repeat a lot: the script knows the messages that it has taken."""

    def __init__(self, exchange: Exchange, terms: Terms, nudge: Nudge, *, replicas: int, timeout: float) -> None:
        self.exchange = exchange
        self._terms = self._next_terms = terms
        self._nudge = nudge
        self._replicas = replicas
        self._timeout = timeout
        self._attached: set[tuple[int, str]] = set()
        self._turn = asyncio.Lock()

    @property
    def partitions(self) -> int:
        return self._terms.partitions

    def renew(self, terms: Terms) -> None:
        """From the next lot on. What belongs to a source that is gone was accepted before, and still has its way."""
        self._next_terms = msgspec.structs.replace(terms, routes={**self._next_terms.routes, **terms.routes})

    async def send(self, lot: Lot) -> None:
        """Every strand says afterwards what became of it; one that says nothing was not heard of. One at a time."""
        async with self._turn:
            self._turn_to_next_terms()
            await self._send(lot)

    async def _send(self, lot: Lot) -> None:
        strands = list(lot.strands.values())
        try:
            crash("before_append")
            answers = await self._insist(strands)
            crash("after_append")
        except ResponseError as error:
            answers = [_trouble_of(error)] * len(strands)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("the log is away: %s", type(error).__name__)
            return
        pairs: list[tuple[int, str]] = []
        for strand, answer in zip(strands, answers, strict=True):
            strand.heard = True
            if isinstance(answer, LogUnavailable):
                strand.error = answer
            elif strand.bodies:
                destinations = self._terms.routes.get(strand.source, ())
                pairs += [(strand.partition, destinations[position - 1]) for position in answer[2:]]
        if pairs:
            self._nudge(pairs)

    def _turn_to_next_terms(self) -> None:
        if self._terms is not self._next_terms:
            self._terms = self._next_terms
            self._attached.clear()

    async def _attach(self, link: Link, strands: Sequence[Strand]) -> None:
        """Before the first append to a stream: give it the groups that the configuration asks for."""
        new = [strand for strand in strands if (strand.partition, strand.source) not in self._attached]
        calls = []
        for strand in new:
            call = attach_call(strand.partition, strand.source, self._terms.routes.get(strand.source, ()))
            calls.append(command("EVAL", call.script.text, len(call.names), *call.names, *call.arguments))
        for answer in await link.ask(calls):
            if isinstance(answer, RedisError):
                raise answer
        self._attached.update((strand.partition, strand.source) for strand in new)

    async def _insist(self, strands: Sequence[Strand]) -> list[Answer]:
        """One round trip; a second one where the connection had gone stale since the last flush."""
        try:
            return await self._round_trip(strands)
        except BusyLoadingError:
            raise
        except (ConnectionLost, ConnectionError):
            return await self._round_trip(strands)

    async def _round_trip(self, strands: Sequence[Strand]) -> list[Answer]:
        async with self.exchange.link() as link:
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
            case ResponseError():
                answers[index] = _trouble_of(result)
            case LogUnavailable():
                answers[index] = result
            case list() if not answers[index]:
                answers[index] = result
            case _:
                pass  # the number of refusals kept, or the error of the strand's other half
    return answers


def _trouble_of(error: ResponseError) -> LogUnavailable:
    if isinstance(error, OutOfMemoryError):
        return LogFull(RETRY_AFTER_FULL)
    if isinstance(error, _PASSING) or str(error).startswith(_PASSING_WORDS):
        logger.warning("the log takes nothing now: %s", error)
        return LogUnavailable(RETRY_AFTER, "the log takes nothing now")
    logger.error("the log refused messages: %s", error)
    return LogRefused(RETRY_AFTER, "the log refused the messages")
