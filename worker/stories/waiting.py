"""What a destination has not finished with: in the log, in its retry lanes, or to be read back from the archive."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
import redis

from worker import keys
from worker.groups import groups_of
from worker.lines import line_of
from worker.story import sortable

LOOK_AT = 1_000
"""Entries, or lanes, of one question."""

END_OF_ENTRY = "/99999"


class Aside(msgspec.Struct, frozen=True):
    """A message in a retry lane."""

    lane: str
    place: int
    """How many of its user's messages are before it."""
    due_ms: int
    """When the first one of the lane is tried again."""
    attempts: int


class Waiting(msgspec.Struct, frozen=True):
    """What one destination has not finished with of one line in one partition; positions are sortable."""

    exists: bool = False
    """Whether the destination has a place in the line's stream at all."""
    read_to: str = ""
    """Everything later that the stream has was not read yet."""
    ends: str = ""
    """Nothing later has ever been in the stream."""
    pending: Mapping[str, frozenset[int] | None] = {}
    """By the sortable beginning of an entry's positions, the numbers not finished; None: all."""
    aside: Mapping[str, Aside] = {}
    detached_at: str = ""
    """Everything later is still to be read back from the archive; "" when nothing is."""

    def unread(self, position: str) -> bool:
        return self.exists and self.read_to < position <= self.ends

    def in_hand(self, position: str) -> bool:
        entry, _, number = position.partition("/")
        left = self.pending.get(entry, frozenset())
        return left is None or int(number) in left

    def detached(self, position: str) -> bool:
        return bool(self.detached_at) and position > self.detached_at

    def holds(self, position: str) -> bool:
        return self.unread(position) or self.in_hand(position) or position in self.aside or self.detached(position)


class _Put(msgspec.Struct):
    """What is looked at of a message in a retry lane (`worker.parcel.Put`)."""

    position: str
    line: str
    attempts: int = 0


_put = msgspec.json.Decoder(_Put).decode


def waiting(client: "redis.Redis", partition: int, line: str, destination: str) -> Waiting:
    """Ask the log server. Raises redis.RedisError.

    A message goes from the log to a lane to its end, never back: it is asked in this order, so that none slips
    through between two questions. Whoever wants to know of ends has to ask for them afterwards.
    """
    stream = keys.log(partition, line)
    group = groups_of(client, stream).get(destination)
    pending = _pending(client, partition, line, destination) if group else {}
    detached = cast(bytes | None, client.hget(keys.detached(partition, destination), line_of(line).source))
    return Waiting(
        exists=group is not None,
        read_to=_end_of(group["last-delivered-id"]) if group else "",
        ends=_end_of(client.xinfo_stream(stream)["last-generated-id"]) if group else "",
        pending=pending,
        aside=dict(_asides(client, partition, line, destination)),
        detached_at=_end_of(detached) if detached else "",
    )


def _end_of(entry_id: bytes) -> str:
    """The last position that the entry may have."""
    return _entry(entry_id) + END_OF_ENTRY


def _entry(entry_id: bytes) -> str:
    """What all positions of the entry begin with."""
    return sortable(entry_id.decode()).partition("/")[0]


def _pending(client: "redis.Redis", partition: int, line: str, destination: str) -> dict[str, frozenset[int] | None]:
    found: dict[str, frozenset[int] | None] = {}
    for ids in _pending_ids(client, keys.log(partition, line), destination):
        left = cast(list[bytes | None], client.hmget(keys.left(partition, line, destination), cast(list[str], ids)))
        for entry_id, numbers in zip(ids, left, strict=True):
            some = None if numbers is None else frozenset(map(int, numbers.split(b",")))
            found[_entry(entry_id)] = some
    return found


def _pending_ids(client: "redis.Redis", stream: str, destination: str) -> Iterator[Sequence[bytes]]:
    start = "-"
    while True:
        rows = cast(list[dict[str, Any]], client.xpending_range(stream, destination, start, "+", LOOK_AT))
        if not rows:
            return
        yield [row["message_id"] for row in rows]
        start = f"({rows[-1]['message_id'].decode()}"


def _asides(client: "redis.Redis", partition: int, line: str, destination: str) -> Iterator[tuple[str, Aside]]:
    lanes = cast(Iterator[tuple[bytes, float]], client.zscan_iter(keys.aside(partition, destination), count=LOOK_AT))
    for name, due in lanes:
        lane = name.decode()
        puts = cast(list[bytes], client.lrange(keys.lane_of(partition, destination, lane), 0, -1))
        for place, record in enumerate(puts):
            put = _put(record)
            if put.line == line:
                yield sortable(put.position), Aside(lane, place, int(due), put.attempts)
