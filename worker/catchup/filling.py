"""Bring a detached destination back: what it missed travels from the archive in a line of its own, then the log again.

1. What the destination had not finished, and what came since, is read from the archive and appended to its catch-up
   line, a bounded number of messages at a time: the destination's own pace decides.
2. At the end of the archive a second group pins the log, so that nothing is trimmed any more that is still missing.
   From then on only what the log does not hold is carried: otherwise there would be no end while messages come.
3. When the line is empty and the archive holds nothing between, the destination gets its group again.

Each step may be repeated: the line knows the last position that it has taken.
"""

import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import redis

from worker import keys, scripts
from worker.carrying import Load, carry
from worker.catchup.reading import Place, messages_after
from worker.catchup.stand import Stand, stand_of
from worker.config import ARCHIVE, Config
from worker.groups import groups_of
from worker.lines import CATCHUP, Line
from worker.log import Log
from worker.story import sortable

MOST_WAITING = 2_000
"""Messages that a catch-up line holds at most."""
CHUNK = 250

logger = logging.getLogger(__name__)


class Gap(msgspec.Struct, frozen=True):
    """One destination without a group on one stream."""

    partition: int
    source: str
    destination: str
    stand: Stand

    @property
    def line(self) -> Line:
        return Line(self.source, CATCHUP, self.destination)

    @property
    def stream(self) -> str:
        return keys.log(self.partition, self.source)

    @property
    def pin(self) -> str:
        return f"{self.destination}~pin"


def gaps(client: "redis.Redis", config: Config) -> Iterator[Gap]:
    for partition, destination in itertools.product(range(config.log.partitions), config.wanted()):
        found = cast("dict[bytes, bytes]", client.hgetall(keys.detached(partition, destination)))
        for source, text in found.items():
            yield Gap(partition, source.decode(), destination, stand_of(text.decode()))


def catch_up(client: "redis.Redis", log: Log, config: Config) -> int:
    """One round over all gaps; how many messages were carried."""
    root = Path(str(config.destinations[ARCHIVE].settings["dir"])).expanduser()
    return sum(fill(client, log, root, gap) for gap in gaps(client, config))


def fill(client: "redis.Redis", log: Log, root: Path, gap: Gap) -> int:
    """Carry as many messages as there is room for; at the end of the archive, try to end the gap."""
    log.trim(gap.partition, gap.line.name, [gap.destination])
    room = MOST_WAITING - waiting(client, gap)
    if room <= 0:
        return 0
    places = list(itertools.islice(missing(client, root, gap), room))
    for start in range(0, len(places), CHUNK):
        carry(client, [load_of(gap, places[start : start + CHUNK])])
    if len(places) < room:
        end(client, root, gap)
    return len(places)


def missing(client: "redis.Redis", root: Path, gap: Gap) -> Iterator[Place]:
    """What is still to be carried."""
    reached = reached_by(client, gap)
    found = messages_after(root, gap.source, keys.lane(gap.partition), reached)
    wanted = (place for place in found if gap.stand.wants(place[1]))
    if gap.pin not in groups_of(client, gap.stream):
        return wanted
    beyond, begun = held_from(client, gap), reached.partition("/")[0]
    return itertools.takewhile(lambda place: place[0] < beyond or place[0].partition("/")[0] == begun, wanted)


def held_from(client: "redis.Redis", gap: Gap) -> str:
    """The first position that the log still holds, sortable; text after all positions when it is empty."""
    first = cast("list[tuple[bytes, object]]", client.xrange(gap.stream, count=1))
    return sortable(f"{first[0][0].decode()}/0") if first else "~"


def load_of(gap: Gap, places: Sequence[Place]) -> Load:
    return Load(
        partition=gap.partition,
        line=gap.line,
        bodies=[body for _, _, body in places],
        cursors=[key for key, _, _ in places],
        counted="",
        origins=[position for _, position, _ in places],
        origin=gap.source,
    )


def reached_by(client: "redis.Redis", gap: Gap) -> str:
    """Text that sorts after the positions of all that has been carried, and before those of the rest."""
    stored = cast("bytes | None", client.hget(keys.cursor(gap.partition, gap.line.name), "at"))
    return stored.decode() if stored else gap.stand.begins()


def waiting(client: "redis.Redis", gap: Gap) -> int:
    """Messages in the line that the destination has not finished with, entries in hand included."""
    stream = keys.log(gap.partition, gap.line.name)
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(stream, count=MOST_WAITING))
    return sum(int(fields[b"n"]) for _, fields in entries)


def end(client: "redis.Redis", root: Path, gap: Gap) -> bool:
    """Give the group back if nothing lies between what was carried and what the log still holds."""
    reached = reached_by(client, gap)
    entry, number = entry_of(max(reached, gap.stand.ends()))
    pin(client, gap, entry)
    beyond = held_from(client, gap)
    between = messages_after(root, gap.source, keys.lane(gap.partition), reached)
    if next((place for place in between if place[0] < beyond), None) is not None:
        return False
    names = [
        gap.stream,
        keys.detached(gap.partition, gap.destination),
        keys.ready(gap.partition, gap.destination),
        keys.log(gap.partition, gap.line.name),
        keys.lines(gap.partition),
        keys.cursor(gap.partition, gap.line.name),
    ]
    arguments = [gap.destination, gap.source, gap.line.name, entry, number + 1]
    done = cast(int, client.eval(scripts.REATTACH.text, len(names), *names, *cast("list[str]", arguments))) == 1
    if done:
        logger.info("%s has caught up with %s in %s", gap.destination, gap.source, keys.lane(gap.partition))
    return done


def pin(client: "redis.Redis", gap: Gap, entry: str) -> None:
    """From now on the log keeps what comes after `entry`."""
    if gap.pin not in groups_of(client, gap.stream):
        client.xgroup_create(gap.stream, gap.pin, entry)


def unpin(client: "redis.Redis", gap: Gap) -> bool:
    """Let the log go on without what the destination has not got: that is read from the archive again."""
    return gap.pin in groups_of(client, gap.stream) and bool(client.xgroup_destroy(gap.stream, gap.pin))


def entry_of(position: str) -> tuple[str, int]:
    """ "000001700000000000-0000000012/00003" as the id of its entry, and the number in it."""
    entry, _, number = position.partition("/")
    milliseconds, _, sequence = entry.partition("-")
    return f"{int(milliseconds)}-{int(sequence)}", int(number)
