"""How long the oldest message has waited that a destination is not finished with."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import redis

from worker import keys
from worker.config import Config
from worker.entryids import milliseconds_of
from worker.groups import Groups, groups_of
from worker.lines import Line, line_of
from worker.parcel import Put

LOOK_AT = 20
"""Entries in which a message is looked for: others are canaries, of which there are few."""


_put = msgspec.json.Decoder(Put).decode

MOST_LANES = 1_000
"""Retry lanes that are looked into, those whose next attempt is furthest away first: they have waited longest."""


def waits(client: "redis.Redis", config: Config) -> dict[tuple[str, str], float]:
    """In seconds, by account (`Line.counted_under`) and destination; only where something waits.

    Raises redis.RedisError.
    """
    seconds, microseconds = client.time()
    now = seconds + microseconds / 1e6
    found: dict[tuple[str, str], float] = {}
    for account, name, moment in _moments(client, config):
        found[account, name] = max(found.get((account, name), 0.0), now - moment)
    return found


def _moments(client: "redis.Redis", config: Config) -> Iterator[tuple[str, str, float]]:
    """Account, destination, and since when something waits there: once for each place where something does."""
    for partition in range(config.log.partitions):
        for line, destinations in _lines(client, config, partition):
            stream = keys.log(partition, line.name)
            groups = groups_of(client, stream)
            for name in destinations:
                moment = oldest(client, stream, groups, name)
                if moment is not None:
                    yield line.counted_under, name, moment
        for name in config.wanted():
            for line, moment in _aside(client, partition, name):
                if line.source in config.sources:
                    yield line.counted_under, name, moment


def _lines(client: "redis.Redis", config: Config, partition: int) -> Iterator[tuple[Line, Sequence[str]]]:
    """Each line of a partition, with the destinations that it leads to."""
    for source, destinations in config.routes().items():
        yield Line(source), destinations
    for name in cast(set[bytes], client.smembers(keys.lines(partition))):
        line = line_of(name.decode())
        if line.destination in config.routes().get(line.source, ()):
            yield line, [line.destination]


def _aside(client: "redis.Redis", partition: int, destination: str) -> Iterator[tuple[Line, float]]:
    """The first message of each retry lane, as far as they are looked into."""
    lanes = cast(list[bytes], client.zrevrange(keys.aside(partition, destination), 0, MOST_LANES - 1))
    pipe = client.pipeline(transaction=False)
    for lane in lanes:
        pipe.lindex(keys.lane_of(partition, destination, lane.decode()), 0)
    for record in cast(list[bytes | None], pipe.execute()):
        if record is not None:
            put = _put(record)
            yield line_of(put.line), put.received_ms / 1000


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
