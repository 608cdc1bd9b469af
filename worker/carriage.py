"""Carries one batch from a line, or from the retry lanes, to a destination; and writes down what became of it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from destinations.adapter import Destination
from destinations.outcome import Rejected
from worker.appending import PACK_MESSAGES
from worker.crash import crash
from worker.delivery import NOT_TRIED, deliver
from worker.forgetting.memory import Memory, instead
from worker.letter import CRASHED
from worker.lines import line_of
from worker.log import Lease, Log, Read
from worker.parcel import Entry, Parcel, lane_of, parcels_of
from worker.probe import MOST as MOST_TO_PROBE
from worker.probe import chosen
from worker.retry import RetryPolicy
from worker.settle import Moment, Settlement, settle, settle_lanes
from worker.verdict import Result

LANES = "~"
"""What stands for all retry lanes where otherwise the name of a line stands."""
MOST_ENTRIES = 500
MOST_ASIDE = 100
"""So many messages a batch holds that is not of live messages, so that these do not wait for long."""
DEATHS_TO_SUSPECT = 3
DEATHS_TO_BURY = 2
"""So many more, of a message tried alone."""

logger = logging.getLogger(__name__)

Results = Sequence[tuple[Parcel, Result]]


class Carried(msgspec.Struct, frozen=True):
    """What came of a batch, and the lease after it. `found`: there was something to carry."""

    lease: Lease
    settlement: Settlement = Settlement()
    found: bool = True


class Batch(msgspec.Struct, frozen=True):
    """What is delivered and written down together."""

    line: str
    entries: Sequence[str]
    parcels: Sequence[Parcel]
    chosen: set[str] | None = None
    """Positions of those that are tried; None: all are."""
    spanning: bool = False
    suspected: bool = False


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What all batches have in common."""

    owner: str
    policy: Callable[[str], RetryPolicy]
    chance: Callable[[], float]
    delivery: float
    """Seconds; nothing is sent later than this after its batch was read."""
    most_aside: int


class Carriage:
    """Knows no leases but the one it is given; gives None when that was lost."""

    def __init__(self, log: Log, destinations: Mapping[str, Destination[Any]], terms: Terms) -> None:
        self._log = log
        self._destinations = destinations
        self._terms = terms
        self._entry_size: dict[tuple[str, str], float] = {}

    def line(self, lease: Lease, line: str, clear: set[str]) -> Carried | None:
        """One batch of a line. `clear` holds the lines known to have nothing pending."""
        most = self._most(lease, line)
        read = self._log.pending(lease, line, most) if line not in clear else Read()
        if not read.entries:
            clear.add(line)
            read = self._log.fresh(lease, line, most)
        if not read.entries:
            return self._idle(lease, line)
        crash("read")
        self._learn_size(lease, line, read.entries)
        attempts = 0 if line in clear else lease.attempts
        parcels = list(parcels_of(lease.partition, line, read.entries, attempts=attempts))
        if read.deaths >= DEATHS_TO_SUSPECT and parcels:
            return self._alone(lease, line, parcels)
        spanning = line in clear and not any(entry.origin for entry in read.entries)
        batch = Batch(line, [entry.id for entry in read.entries], parcels, spanning=spanning)
        carried = self._carry(lease, batch)
        if carried and carried.settlement.unfinished:
            clear.discard(line)
        self._tell_canaries(lease, line, read.entries if carried else ())
        return carried

    def probe(self, lease: Lease, line: str) -> Carried | None:
        """A few messages of a line, to find out whether the destination is back."""
        most = self._most(lease, line)
        before = self._log.pending(lease, line, most)
        pending = list(parcels_of(lease.partition, line, before.entries, attempts=lease.attempts))
        if before.deaths >= DEATHS_TO_SUSPECT and pending:
            return self._alone(lease, line, pending)
        new = self._log.fresh(lease, line, MOST_TO_PROBE) if len(before.entries) < most else Read()
        entries = (*before.entries, *new.entries)
        if not entries:
            return self._idle(lease, line)
        crash("read")
        fresh = list(parcels_of(lease.partition, line, new.entries, attempts=0))
        some = chosen(pending, fresh, self._destinations[lease.destination].order)
        batch = Batch(line, [entry.id for entry in entries], [*pending, *fresh], some)
        carried = self._carry(lease, batch)
        self._tell_canaries(lease, line, entries if carried else ())
        return carried

    def lanes(self, lease: Lease) -> Carried | None:
        """A batch of what waits in the retry lanes and is due."""
        most = MOST_TO_PROBE if lease.probing else MOST_ASIDE
        taken = self._log.lanes(lease, most_lanes=most, most=most)
        if not taken.parcels:
            return Carried(lease, found=False)
        crash("read")
        if taken.deaths >= DEATHS_TO_SUSPECT:
            return self._alone(lease, LANES, taken.parcels[:1])
        return self._carry(lease, Batch(LANES, [], taken.parcels))

    def _alone(self, lease: Lease, line: str, parcels: Sequence[Parcel]) -> Carried | None:
        """The first message by itself, because one of these has killed workers: so it shows which."""
        parcels = self._remembered(lease, parcels)
        first = parcels[0]
        deaths = self._log.hold(lease, line, f"{first.line} {first.position}")
        if deaths < 0:
            return None
        together = [parcel for parcel in parcels if parcel.entry == first.entry or line == LANES]
        batch = Batch(line, [first.entry], together, {first.position}, suspected=True)
        if deaths < DEATHS_TO_BURY:
            return self._carry(lease, batch)
        logger.error("%s killed %d workers and is buried: %s", first.line, DEATHS_TO_SUSPECT + deaths, first.position)
        buried = Rejected(f"{DEATHS_TO_SUSPECT + deaths} workers died over it", CRASHED)
        rest = [(parcel, NOT_TRIED) for parcel in together[1:]]
        return self._settled(lease, batch, [(first, buried), *rest], time.monotonic())

    def _carry(self, lease: Lease, batch: Batch) -> Carried | None:
        begun = time.monotonic()
        if lease.forgotten:
            batch = msgspec.structs.replace(batch, parcels=self._remembered(lease, batch.parcels))
        some = [one for one in batch.parcels if batch.chosen is None or one.position in batch.chosen]
        occupied = self._occupied(lease, some) if batch.line != LANES else set()
        results = deliver(self._destinations[lease.destination], some, occupied, begun + self._terms.delivery)
        crash("delivered")
        if len(some) < len(batch.parcels):
            known = {parcel.position: result for parcel, result in results}
            results = [(parcel, known.get(parcel.position, NOT_TRIED)) for parcel in batch.parcels]
        return self._settled(lease, batch, results, begun)

    def _remembered(self, lease: Lease, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
        """The same with a placeholder for each message whose user is to be forgotten."""
        memory = self._log.forgotten(lease)
        return parcels if memory is None else [_without(memory, parcel) for parcel in parcels]

    def _occupied(self, lease: Lease, parcels: Sequence[Parcel]) -> set[str]:
        if not lease.aside or not parcels:
            return set()
        order = self._destinations[lease.destination].order
        return self._log.occupied(lease, sorted({lane_of(parcel, order) for parcel in parcels}))

    def _settled(self, lease: Lease, batch: Batch, results: Results, begun: float) -> Carried | None:
        moment = Moment(
            destination=lease.destination,
            now_ms=int(time.time() * 1000),
            chance=self._terms.chance(),
            order=self._destinations[lease.destination].order,
            attempts=lease.attempts,
            row=lease.row,
            room=max(0, self._terms.most_aside - lease.aside),
            probing=lease.probing,
            spanning=batch.spanning,
            owner=self._terms.owner,
            took_ms=int((time.monotonic() - begun) * 1000),
        )
        policy = self._terms.policy(lease.destination)
        if batch.line == LANES:
            settlement = settle_lanes(results, policy, moment)
        else:
            settlement = settle(batch.entries, results, policy, moment)
        settlement = msgspec.structs.replace(settlement, suspected=batch.suspected)
        after = self._log.commit(lease, batch.line, settlement)
        if after is None:
            logger.warning("lost the lease of %s in %s: its batch will be repeated", lease.destination, lease.partition)
            return None
        crash("committed")
        return Carried(after, settlement)

    def _idle(self, lease: Lease, line: str) -> Carried | None:
        return Carried(lease, found=False) if self._log.idle(lease, line) else None

    def _tell_canaries(self, lease: Lease, line: str, entries: Sequence[Entry]) -> None:
        sent = max((entry.canary for entry in entries), default=0)
        if sent:
            self._log.arrived(lease.destination, line_of(line).source, sent)

    def _most(self, lease: Lease, line: str) -> int:
        """How many entries hold about as many messages as the destination wants at once."""
        live = not line_of(line).way
        wanted = self._destinations[lease.destination].batch_messages
        size = self._entry_size.get((line, lease.destination), 1.0 if live else PACK_MESSAGES)
        return max(1, min(MOST_ENTRIES, int((wanted if live else min(wanted, MOST_ASIDE)) / size)))

    def _learn_size(self, lease: Lease, line: str, entries: Sequence[Entry]) -> None:
        found = sum(len(entry.lines) for entry in entries) / len(entries)
        self._entry_size[(line, lease.destination)] = max(1.0, found)


def _without(memory: Memory, parcel: Parcel) -> Parcel:
    made = instead(memory, parcel.envelope.body, parcel.envelope.head)
    if made is None:
        return parcel
    envelope = msgspec.structs.replace(parcel.envelope, body=made[0], head=made[1])
    return msgspec.structs.replace(parcel, envelope=envelope)
