"""Find the destinations for whose sake the log keeps what nobody else needs any more."""

from collections.abc import Collection, Iterator
from typing import cast

import msgspec
import redis

from worker import keys
from worker.config import ARCHIVE, Config
from worker.entryids import milliseconds_of
from worker.groups import groups_of

PATIENCE = 60.0
"""Seconds that a destination may lag behind while the log is short of room, although it is not out."""


class Laggard(msgspec.Struct, frozen=True):
    """The group of a destination on one stream."""

    partition: int
    source: str
    destination: str


def share_used(client: "redis.Redis") -> float:
    """The share of its memory that the server uses; 0 when it has no limit."""
    found = cast("dict[str, int]", client.info("memory"))
    most = int(found.get("maxmemory", 0))
    return int(found["used_memory"]) / most if most else 0.0


def laggards(client: "redis.Redis", config: Config, out: Collection[str]) -> Iterator[Laggard]:
    """What may be detached: the destinations in `out`, and others that lag far behind; never the archive."""
    now_ms = int(client.time()[0]) * 1000
    for source, settings in config.sources.items():
        if ARCHIVE not in settings.destinations:
            continue  # there would be nothing to catch up from
        for partition in range(config.log.partitions):
            for destination in settings.destinations:
                lag = None if destination == ARCHIVE else lag_of(client, partition, source, destination, now_ms)
                if lag is not None and (destination in out or lag > PATIENCE):
                    yield Laggard(partition, source, destination)


def lag_of(client: "redis.Redis", partition: int, source: str, destination: str, now_ms: int) -> float | None:
    """The age in seconds of the oldest entry that the destination has not finished; None when there is none."""
    stream = keys.log(partition, source)
    group = groups_of(client, stream).get(destination)
    if group is None:
        return None
    oldest = client.xpending(stream, destination)["min"] if group["pending"] else None
    if oldest is None:
        waiting = cast(
            "list[tuple[bytes, object]]", client.xrange(stream, min=b"(" + group["last-delivered-id"], count=1)
        )
        oldest = waiting[0][0] if waiting else None
    return None if oldest is None else (now_ms - milliseconds_of(oldest.decode())) / 1000
