"""Carries messages from the log to one destination at a time, under a lease."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from destinations.adapter import Destination
from worker.breaker import Breaker, Probing, Waiting
from worker.carriage import Carriage, Carried, Terms
from worker.crash import crash
from worker.keeper import Keeper
from worker.lines import line_of
from worker.log import Held, Lease, Log
from worker.retry import RetryPolicy
from worker.settle import Settlement
from worker.verdict import Out

LINES_A_LOOK = 64
LIVE_A_ROUND = 4
LONGEST_HUSH = 60.0
"""Seconds for which nobody need be told of new work for a destination that is out."""

logger = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a drain may take; all in seconds."""

    budget: float = 2.0
    """A drain ends after this, so that others get their turn."""
    delivery: float = 8.0
    """Nothing is sent later than this after its batch was read. Less than the lease: an expired owner is silent."""


class Courier:
    """What one worker process does when RQ nudges it."""

    def __init__(
        self,
        log: Log,
        destinations: Mapping[str, Destination[Any]],
        keeper: Keeper,
        breaker: Breaker,
        *,
        owner: str,
        policy: Callable[[str], RetryPolicy],
        pace: Pace,
        most_aside: int,
        chance: Callable[[], float],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`policy` gives that of a destination; `most_aside` messages may wait in its retry lanes in one partition."""
        self._log = log
        self._destinations = destinations
        self._keeper = keeper
        self._breaker = breaker
        self._owner = owner
        self._budget = pace.budget
        self._stopping = stopping
        terms = Terms(owner=owner, policy=policy, chance=chance, delivery=pace.delivery, most_aside=most_aside)
        self._carriage = Carriage(log, destinations, terms)

    def drain(self, partition: int, destination: str, gives_way: Callable[[int], bool] = lambda carried: False) -> str:
        """Deliver what is ready for up to the budget. Says how it ended; 'more' (live) and 'later' ask for another go.

        `gives_way` is asked before each batch that is not of live messages, with the number of those before it.
        """
        if destination not in self._destinations:
            return "unknown"
        view = self._breaker.look(destination)
        if isinstance(view, Waiting):
            # The sweep wakes it up: until then every append would send another nudge in vain.
            self._log.hush(partition, destination, LONGEST_HUSH)
            return "paused"
        lease = self._log.acquire(partition, destination, self._owner)
        if isinstance(lease, Held):
            if isinstance(view, Probing):
                self._breaker.give_back(destination)
            return "held"
        if isinstance(view, Probing):
            lease = msgspec.structs.replace(lease, attempts=view.attempts, probing=True)
        crash("acquired")
        with self._keeper.holding(lease):
            ended = Drain(self._log, self._breaker, self._carriage, lease, gives_way).run(self._budget, self._stopping)
        crash("released")
        return ended


class Drain:
    """The work under one lease."""

    def __init__(
        self, log: Log, breaker: Breaker, carriage: Carriage, lease: Lease, gives_way: Callable[[int], bool]
    ) -> None:
        self._log = log
        self._breaker = breaker
        self._carriage = carriage
        self._lease = lease
        self._gives_way = gives_way
        self._later = 0
        """So many batches that were not of live messages."""
        self._clear: set[str] = set()
        self._lanes_due = lease.aside > 0

    def run(self, budget: float, stopping: Callable[[], bool]) -> str:
        end = time.monotonic() + budget
        while True:
            due = self._log.due(self._lease, LINES_A_LOOK)
            for stop in self._stops(a_round(due)):
                ended = stop()
                if not ended and (time.monotonic() >= end or stopping()):
                    ended = self._log.release_anyway(self._lease)
                if ended:
                    return self._left(ended)
            if not due and (ended := self._log.release(self._lease)) != "kept":
                return self._left(ended)
            self._lanes_due = self._lease.aside > 0 or not due

    def _stops(self, lines: Sequence[str]) -> Iterator[Callable[[], str]]:
        """What is done in one round, one batch each: they say how the drain ended, or "" to go on."""
        if self._lanes_due:
            yield self._if_nobody_waits(lambda: self._carriage.lanes(self._lease))
        for line in lines:
            if line_of(line).way:
                yield self._if_nobody_waits(partial(self._line, line))
            else:
                yield partial(self._live, line)

    def _live(self, line: str) -> str:
        return self._after(self._line(line))

    def _if_nobody_waits(self, carry: Callable[[], Carried | None]) -> Callable[[], str]:
        """A batch that is not of live messages, unless those of another partition wait."""
        if not self._lease.probing and self._gives_way(self._later):
            return self._make_way
        return lambda: self._after(self._counted(carry()))

    def _make_way(self) -> str:
        ended = self._log.give_way(self._lease)
        return "" if ended == "kept" else ended

    def _counted(self, carried: Carried | None) -> Carried | None:
        self._later += carried is not None and carried.found
        return carried

    def _line(self, line: str) -> Carried | None:
        if self._lease.probing:
            return self._carriage.probe(self._lease, line)
        return self._carriage.line(self._lease, line, self._clear)

    def _after(self, carried: Carried | None) -> str:
        """What a batch means for the drain: how it ended, or "" to go on."""
        if carried is None:
            return "lost"
        self._lease = carried.lease
        if not carried.found:
            return ""
        settlement = carried.settlement
        if isinstance(settlement.verdict, Out):
            return self._out(settlement.verdict)
        if settlement.verdict.worked and self._lease.probing:
            self._breaker.succeeded(self._lease.destination)
            logger.warning("%s is back", self._lease.destination)
            self._lease = msgspec.structs.replace(self._lease, attempts=0, probing=False)
        return self._tolled(settlement)

    def _out(self, verdict: Out) -> str:
        destination = self._lease.destination
        attempts, pause_ms, reason = verdict.attempts - 1, verdict.pause_ms, verdict.reason
        self._breaker.failed(destination, attempts=attempts, pause_ms=pause_ms, reason=reason, scope=verdict.scope)
        logger.warning(
            "%s is out, as found in p%02d (attempt %d, again in %.1f s): %s",
            destination,
            self._lease.partition,
            verdict.attempts,
            pause_ms / 1000,
            reason,
        )
        self._log.release_anyway(self._lease)
        return "paused"

    def _tolled(self, settlement: Settlement) -> str:
        destination = self._lease.destination
        if not self._breaker.deaths(destination, settlement.dead, settlement.ended - settlement.dead):
            return ""
        logger.warning("%s is paused: too many messages die there", destination)
        self._log.release_anyway(self._lease)
        return "paused"

    def _left(self, ended: str) -> str:
        """The right to probe is another's when nothing was found out."""
        if self._lease.probing and ended != "paused":
            self._breaker.give_back(self._lease.destination)
        return ended


def a_round(due: Sequence[str]) -> list[str]:
    """Lines for one look around: live ones, and at most one other after them, so that no replay delays them."""
    live = [line for line in due if not line_of(line).way]
    others = [line for line in due if line_of(line).way]
    return live[:LIVE_A_ROUND] + others[:1]
