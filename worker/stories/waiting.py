"""What a destination has not finished with: in the log, in its retry lanes, or to be read back from the archive."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
import redis

from worker import keys
from worker.catchup.stand import Stand, stand_of
from worker.lines import CATCHUP, RETRY, Line, line_of
from worker.stories.travelling import Numbers, entry_of, travelling, unfinished
from worker.story import position_of, sortable

LOOK_AT = 1_000
"""Lanes of one question."""

END_OF_ENTRY = "/99999"


class Aside(msgspec.Struct, frozen=True):
    """A message in a retry lane."""

    lane: str
    place: int
    """How many of its user's messages are before it."""
    due_ms: int
    """When the first one of the lane is tried again."""
    attempts: int


class Missed(msgspec.Struct, frozen=True):
    """What a detached destination has still to be given from the archive."""

    stand: Stand
    carried_to: str
    """Sortable: what is not later is in its catch-up line already, or has been."""

    def holds(self, position: str) -> bool:
        return position > self.carried_to and self.stand.wants(position_of(position))


class Waiting(msgspec.Struct, frozen=True):
    """What one destination has not finished with of one line in one partition; positions are sortable."""

    exists: bool = False
    """Whether the destination has a place in the line's stream at all."""
    read_to: str = ""
    """Everything later that the stream has was not read yet."""
    ends: str = ""
    """Nothing later has ever been in the stream."""
    pending: Mapping[str, Numbers] = {}
    """By the beginning of an entry's positions, the numbers not finished; None: all."""
    carried: Mapping[str, str] = {}
    """What travels a second time, with the line that it travels in."""
    aside: Mapping[str, Aside] = {}
    missed: Missed | None = None

    def unread(self, position: str) -> bool:
        return self.exists and self.read_to < position <= self.ends

    def in_hand(self, position: str) -> bool:
        entry, _, number = position.partition("/")
        left = self.pending.get(entry, frozenset())
        return left is None or int(number) in left

    def detached(self, position: str) -> bool:
        return self.missed is not None and self.missed.holds(position)

    def holds(self, position: str) -> bool:
        return (
            self.unread(position)
            or self.in_hand(position)
            or position in self.carried
            or position in self.aside
            or self.detached(position)
        )


class _Put(msgspec.Struct):
    """What is looked at of a message in a retry lane (`worker.parcel.Put`)."""

    position: str
    line: str
    attempts: int = 0


_put = msgspec.json.Decoder(_Put).decode


class _Standing(msgspec.Struct, frozen=True):
    """How a destination stood with a line, at one moment."""

    group: Mapping[str, Any] | None
    last: bytes
    """The last entry that the stream ever had."""
    detached: bytes | None
    carried_to: bytes | None

    def same(self, other: "_Standing") -> bool:
        """Whether it was neither detached nor brought back in between."""
        return (self.group is None) == (other.group is None) and self.detached == other.detached

    def missed(self) -> Missed | None:
        if self.detached is None:
            return None
        return Missed(stand_of(self.detached.decode()), (self.carried_to or b"").decode())


def waiting(client: "redis.Redis", partition: int, line: str, destination: str) -> Waiting:
    """Ask the log server. Raises redis.RedisError.

    A message goes from the log, or the archive, to a line of its own, to a lane, to its end, never back: it is asked in
    this order, so that none slips through between two questions. Whoever wants to know of ends has to ask for them
    afterwards.
    """
    about = line_of(line)
    before = _standing(client, partition, about, destination)
    while True:
        found = _waiting(client, partition, about, destination, before)
        after = _standing(client, partition, about, destination)
        if after.same(before):
            return found
        before = after


def _waiting(client: "redis.Redis", partition: int, line: Line, destination: str, standing: _Standing) -> Waiting:
    group = standing.group
    left = unfinished(client, partition, line.name, destination) if group else {}
    ways = [line] if line.way else [Line(line.source, way, destination) for way in (RETRY, CATCHUP)]
    carried = {
        position: way.name
        for way in ways
        for position in travelling(client, partition, way.name, destination, line.name)
    }
    return Waiting(
        exists=group is not None,
        read_to=_end_of(group["last-delivered-id"]) if group else "",
        ends=_end_of(standing.last) if group else "",
        pending={entry_of(entry_id): numbers for entry_id, numbers in left.items()},
        carried=carried,
        aside=dict(_asides(client, partition, line.name, destination)),
        missed=standing.missed(),
    )


def _standing(client: "redis.Redis", partition: int, line: Line, destination: str) -> _Standing:
    """All of it at one moment."""
    stream = keys.log(partition, line.name)
    pipe = client.pipeline(transaction=True)
    pipe.xinfo_groups(stream)
    pipe.xinfo_stream(stream)
    pipe.hget(keys.detached(partition, destination), line.name)
    pipe.hget(keys.cursor(partition, Line(line.source, CATCHUP, destination).name), "at")
    groups, about, detached, carried_to = pipe.execute(raise_on_error=False)
    if isinstance(groups, redis.exceptions.ResponseError):  # there is no such stream yet
        return _Standing(None, b"", detached, carried_to)
    group = next((one for one in groups if one["name"].decode() == destination), None)
    return _Standing(group, about["last-generated-id"], detached, carried_to)


def _end_of(entry_id: bytes) -> str:
    """The last position that the entry may have."""
    return entry_of(entry_id) + END_OF_ENTRY


def _asides(client: "redis.Redis", partition: int, line: str, destination: str) -> Iterator[tuple[str, Aside]]:
    lanes = cast(Iterator[tuple[bytes, float]], client.zscan_iter(keys.aside(partition, destination), count=LOOK_AT))
    for name, due in lanes:
        lane = name.decode()
        puts = cast(Sequence[bytes], client.lrange(keys.lane_of(partition, destination, lane), 0, -1))
        for place, record in enumerate(puts):
            put = _put(record)
            if put.line == line:
                yield sortable(put.position), Aside(lane, place, int(due), put.attempts)
