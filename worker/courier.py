"""Carries messages from the log to one destination at a time, under a lease."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from destinations.adapter import Destination
from destinations.blame import steps_of
from destinations.outcome import Deferred, Outcome
from schemas.envelope import Envelope, decode_head
from worker import keys
from worker.crash import crash
from worker.keeper import Keeper
from worker.log import Entry, Held, Lease, Log, Paused
from worker.retry import RetryPolicy
from worker.routing import filtered
from worker.settle import Moment, Parcel, Settlement, settle

SOURCES_A_LOOK = 4
MOST_ENTRIES = 500
NOT_TRIED = Deferred("an earlier message could not be delivered", after=0.0)

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
        *,
        owner: str,
        policy: RetryPolicy,
        pace: Pace,
        chance: Callable[[], float],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._log = log
        self._destinations = destinations
        self._keeper = keeper
        self._owner = owner
        self._policy = policy
        self._pace = pace
        self._chance = chance
        self._stopping = stopping
        self._entry_size: dict[tuple[str, str], float] = {}

    def drain(self, partition: int, destination: str) -> str:
        """Deliver what is ready for up to the budget. Says how it ended; 'more' asks for another nudge."""
        if destination not in self._destinations:
            return "unknown"
        match self._log.acquire(partition, destination, self._owner):
            case Held():
                return "held"
            case Paused():
                return "paused"
            case Lease() as lease:
                crash("acquired")
                with self._keeper.holding(lease):
                    ended = self._drain(lease)
                crash("released")
                return ended

    def _drain(self, lease: Lease) -> str:
        end = time.monotonic() + self._pace.budget
        clear: set[str] = set()
        while True:
            due = self._log.due(lease, SOURCES_A_LOOK)
            for source in due:
                settled = self._carry(lease, source, clear)
                if settled is None:
                    return "lost"
                if settled.pause_ms:
                    return self._log.release_anyway(lease)
                lease = msgspec.structs.replace(lease, attempts=settled.attempts)
                if time.monotonic() >= end or self._stopping():
                    return self._log.release_anyway(lease)
            if not due and (ended := self._log.release(lease)) != "kept":
                return ended

    def _carry(self, lease: Lease, source: str, clear: set[str]) -> Settlement | None:
        """Deliver one batch of one source; None when the lease was lost.

        `clear` holds the sources known to have nothing pending.
        """
        entries = self._read(lease, source, clear)
        if not entries:
            return Settlement(attempts=lease.attempts) if self._log.idle(lease, source) else None
        crash("read")
        results = self._deliver(lease, list(parcels_of(lease.partition, source, entries, lease.attempts + 1)))
        crash("delivered")
        moment = Moment(
            destination=lease.destination,
            now_ms=int(time.time() * 1000),
            attempts=lease.attempts,
            chance=self._chance(),
        )
        settlement = settle([entry.id for entry in entries], results, self._policy, moment)
        if not self._log.commit(lease, source, settlement):
            logger.warning("lost the lease of %s in %s: its batch will be repeated", lease.destination, lease.partition)
            return None
        crash("committed")
        if settlement.pause_ms:
            logger.warning(
                "%s is out in p%02d (attempt %d, again in %.1f s): %s",
                lease.destination,
                lease.partition,
                settlement.attempts,
                settlement.pause_ms / 1000,
                settlement.reason,
            )
        if settlement.unfinished:
            clear.discard(source)
        return settlement

    def _read(self, lease: Lease, source: str, clear: set[str]) -> list[Entry]:
        size = self._entry_size.get((source, lease.destination), 1.0)
        wanted = self._destinations[lease.destination].batch_messages
        most = max(1, min(MOST_ENTRIES, int(wanted / size)))
        entries: list[Entry] = []
        if source not in clear:
            entries = self._log.pending(lease, source, most)
        if not entries:
            clear.add(source)
            entries = self._log.fresh(lease, source, most)
        if entries:
            found = sum(len(entry.lines) for entry in entries) / len(entries)
            self._entry_size[(source, lease.destination)] = max(1.0, found)
        return entries

    def _deliver(self, lease: Lease, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        destination = self._destinations[lease.destination]
        deadline = time.monotonic() + self._pace.delivery
        results: list[tuple[Parcel, Outcome]] = []
        wanted: list[Parcel] = []
        for parcel in parcels:
            reason = filtered(parcel.envelope.head, lease.destination, storage=destination.storage)
            if reason is None:
                wanted.append(parcel)
            else:
                results.append((parcel, reason))
        failed = False
        for batch in slices(wanted, destination.batch_messages):
            outcomes: Sequence[Outcome] = [NOT_TRIED] * len(batch)
            if not failed and time.monotonic() < deadline:
                outcomes = ask(destination, [parcel.envelope for parcel in batch], deadline)
            results.extend(zip(batch, outcomes, strict=True))
            failed = failed or any(isinstance(outcome, Deferred) for outcome in outcomes)
        return results


def parcels_of(partition: int, source: str, entries: Sequence[Entry], attempt: int) -> Iterator[Parcel]:
    """The unfinished messages of some entries, in log order."""
    lane = keys.lane(partition)
    for entry in entries:
        numbers = range(len(entry.lines)) if entry.left is None else entry.unfinished()
        for number in numbers:
            body = entry.lines[number]
            envelope = Envelope(
                source=source,
                body=body,
                head=decode_head(body),
                lane=lane,
                position=f"{entry.id}/{number}",
                attempt=attempt,
            )
            yield Parcel(entry.id, number, envelope)


def slices(parcels: Sequence[Parcel], most: int) -> Iterator[Sequence[Parcel]]:
    for start in range(0, len(parcels), most):
        yield parcels[start : start + most]


def ask(destination: Destination[Any], envelopes: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
    """One outcome per message, whatever the adapter does: a bug in it counts as a failed attempt."""
    try:
        outcomes: list[object] = list(destination.deliver(envelopes, deadline))
    except Exception as error:  # noqa: BLE001  # the one broad except: an adapter is somebody else's code
        # Not its words: they may quote a secret of its settings, or a message.
        logger.error("the adapter raised %s at %s", type(error).__name__, steps_of(error))
        return [Deferred(f"the adapter raised {type(error).__name__}")] * len(envelopes)
    if len(outcomes) != len(envelopes):
        return [Deferred(f"the adapter gave {len(outcomes)} outcomes for {len(envelopes)} messages")] * len(envelopes)
    known = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    if len(known) != len(outcomes):
        return [Deferred("the adapter gave something else than an outcome")] * len(envelopes)
    return known
