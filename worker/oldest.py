"""How long the oldest message has waited that a destination is not finished with."""

from collections.abc import Iterator
from typing import Any, cast

import redis

from worker import keys
from worker.config import Config
from worker.entryids import milliseconds_of
from worker.groups import Groups, groups_of

LOOK_AT = 20
"""Entries in which a message is looked for: others are canaries, of which there are few."""


def waits(client: "redis.Redis", config: Config) -> dict[tuple[str, str], float]:
    """In seconds, by source and destination; only where something waits. Raises redis.RedisError."""
    seconds, microseconds = client.time()
    now = seconds + microseconds / 1e6
    found: dict[tuple[str, str], float] = {}
    for source, destinations in config.routes().items():
        for partition in range(config.log.partitions):
            stream = keys.log(partition, source)
            groups = groups_of(client, stream)
            for name in destinations:
                moment = oldest(client, stream, groups, name)
                if moment is not None:
                    found[source, name] = max(found.get((source, name), 0.0), now - moment)
    return found


def oldest(client: "redis.Redis", stream: str, groups: Groups, destination: str) -> float | None:
    """When (seconds since 1970) the oldest message came that this destination is not finished with; None: all are."""
    group = groups.get(destination)
    if group is None:
        return None
    pending = client.xpending(stream, destination)["min"] if group["pending"] else None
    return _first_message(client, stream, pending or b"(" + group["last-delivered-id"])


def _first_message(client: "redis.Redis", stream: str, start: bytes) -> float | None:
    entries = cast(Iterator[tuple[bytes, Any]], client.xrange(stream, min=start, count=LOOK_AT))
    found = [entry_id for entry_id, fields in entries if fields and fields[b"n"] != b"0"]
    return milliseconds_of(found[0].decode()) / 1000 if found else None
