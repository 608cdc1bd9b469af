"""What is gathered for the log while the flush before is under way."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from collector.log_port import Item, LogRefused, LogUnavailable, Refusal
from worker.keys import digest_of, partition_of

RETRY_AFTER = 1

Place = tuple[int, str]
"""partition, source"""


class Strand:
    """The messages of one partition and source in one flush, and what became of them."""

    __slots__ = ("bodies", "digests", "error", "heard", "partition", "refused", "source")

    def __init__(self, partition: int, source: str) -> None:
        self.partition = partition
        self.source = source
        self.digests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.refused: list[bytes] = []
        self.heard = False
        self.error: LogUnavailable | None = None

    def trouble(self) -> LogUnavailable | None:
        """Why its messages cannot be called stored; nothing is as long as the log has not answered."""
        return self.error if self.heard else LogUnavailable(RETRY_AFTER)


class Put(msgspec.Struct):
    """What one request wants stored, and the future on which it waits for that."""

    waiter: asyncio.Future[None]
    places: frozenset[Place]
    items: Sequence[Item]
    refusals: Sequence[Refusal]

    def tell(self, trouble: LogUnavailable | None) -> None:
        """End the wait, unless whoever waited has left."""
        if self.waiter.done():
            return
        if trouble is None:
            self.waiter.set_result(None)
        else:
            self.waiter.set_exception(trouble)


class Lot:
    """The messages of all requests that will travel together, and who waits for them."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.strands: dict[Place, Strand] = {}
        self.puts: list[Put] = []
        self.size = 0

    def add(self, waiter: asyncio.Future[None], items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        self.puts.append(Put(waiter, self.take(items, refusals), items, refusals))

    def take(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> frozenset[Place]:
        """Sort them into strands; the places that they went to."""
        places = set()
        strands, partitions = self.strands, self.partitions
        for item in items:
            source = item.source
            place = (partition_of(source, item.user, partitions), source)
            strand = strands.get(place) or self._strand(place)
            strand.digests.append(digest_of(source, item.message_id))
            strand.bodies.append(item.body)
            places.add(place)
        self.size += sum([len(item.body) for item in items])
        for number, refusal in enumerate(refusals, len(self.puts)):
            places.add(self.take_refused(number % partitions, refusal.source, msgspec.json.encode(refusal)))
        return frozenset(places)

    def take_refused(self, partition: int, source: str, record: bytes) -> Place:
        place = (partition, source)
        self._strand(place).refused.append(record)
        self.size += len(record)
        return place

    def _strand(self, place: Place) -> Strand:
        found = self.strands.get(place)
        if found is None:
            found = self.strands[place] = Strand(*place)
        return found

    def trouble(self, places: Iterable[Place]) -> LogUnavailable | None:
        """Why not all that went to these places is stored. What is final goes before what may pass."""
        found = [trouble for place in places if (trouble := self.strands[place].trouble())]
        return next((trouble for trouble in found if isinstance(trouble, LogRefused)), found[0] if found else None)

    def all_well(self) -> bool:
        return not any(strand.trouble() for strand in self.strands.values())

    def answer(self) -> None:
        """Tell everybody who still waits what became of the messages."""
        all_well = self.all_well()
        for put in self.puts:
            put.tell(None if all_well else self.trouble(put.places))

    def stranded(self) -> list[Put]:
        """Those whose messages the log would take at another time."""
        if self.all_well():
            return []
        troubles = ((put, self.trouble(put.places)) for put in self.puts)
        return [put for put, trouble in troubles if trouble is not None and not isinstance(trouble, LogRefused)]
