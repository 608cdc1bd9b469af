"""What could not go its way and is kept for a person: dead letters, and what was refused at the door."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
import redis

from worker import keys
from worker.config import Config
from worker.entryids import order_of

Found = dict[str, Any]


def letters(client: "redis.Redis", config: Config, *, most: int) -> list[Found]:
    """The newest dead letters of all destinations, newest first."""
    streams = [keys.dead(partition, name) for partition in range(config.log.partitions) for name in config.wanted()]
    return _newest(client, streams, b"letter", most)


def refusals(client: "redis.Redis", config: Config, *, most: int) -> list[Found]:
    """What clients sent last and was refused, newest first; `raw` is Base64 of what they sent."""
    streams = [keys.refused(p, source) for p in range(config.log.partitions) for source in sorted(config.sources)]
    return _newest(client, streams, b"record", most)


def _newest(client: "redis.Redis", streams: Iterable[str], field: bytes, most: int) -> list[Found]:
    found: list[tuple[tuple[int, int], Found]] = []
    for stream in streams:
        rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrevrange(stream, count=most))
        found += [(order_of(entry_id), msgspec.json.decode(fields[field])) for entry_id, fields in rows]
    found.sort(key=lambda row: row[0], reverse=True)
    return [row for _, row in found[:most]]
