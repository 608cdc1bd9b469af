"""What is gathered for the log while the flush before is under way."""

import asyncio
from collections.abc import Sequence

import msgspec

from collector.log_port import Item, LogUnavailable, Refusal
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


class Lot:
    """The messages of all requests that will travel together, and who waits for them."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.strands: dict[Place, Strand] = {}
        self.waiters: list[tuple[asyncio.Future[None], frozenset[Place]]] = []
        self.size = 0

    def take(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> frozenset[Place]:
        """Sort them into strands; the places that they went to."""
        places = set()
        strands, partitions = self.strands, self._partitions
        for item in items:
            source = item.source
            place = (partition_of(source, item.user, partitions), source)
            strand = strands.get(place) or self._strand(place)
            strand.digests.append(digest_of(source, item.message_id))
            strand.bodies.append(item.body)
            places.add(place)
        self.size += sum([len(item.body) for item in items])
        for number, refusal in enumerate(refusals, len(self.waiters)):
            record = msgspec.json.encode(refusal)
            place = (number % partitions, refusal.source)
            self._strand(place).refused.append(record)
            self.size += len(record)
            places.add(place)
        return frozenset(places)

    def _strand(self, place: Place) -> Strand:
        found = self.strands.get(place)
        if found is None:
            found = self.strands[place] = Strand(*place)
        return found

    def answer(self) -> None:
        """Tell everybody who waits what became of the messages."""
        for waiter, places in self.waiters:
            if waiter.done():
                continue
            error = next((trouble for place in places if (trouble := self.strands[place].trouble())), None)
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)
