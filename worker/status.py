"""The accounts of the log: per source and destination, what came in and what became of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import redis

from worker import durability, keys, strays
from worker.config import Config
from worker.durability import Durability
from worker.entryids import milliseconds_of
from worker.groups import Groups, groups_of
from worker.strays import Stray


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """received = delivered + filtered + waiting + dead."""

    source: str
    destination: str
    received: int
    delivered: int
    filtered: int
    waiting: int
    dead: int
    oldest_waiting_seconds: float | None
    out: str | None
    """Why deliveries are paused, if they are."""


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What a source sent."""

    source: str
    received: int
    duplicates: int
    refused: int


class Dedupe(msgspec.Struct, frozen=True):
    """How long a message id is remembered: as configured, and as the bound on ids really allows."""

    configured_seconds: float
    in_force_seconds: float
    ids: int
    most_ids: int


class Status(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    intake: tuple[Intake, ...]
    durability: Durability
    dedupe: Dedupe
    strays: tuple[Stray, ...] = ()


def read(client: "redis.Redis", config: Config) -> Status:
    """Ask the log server. Raises redis.RedisError."""
    now = _server_seconds(client)
    rows: list[Row] = []
    intake: list[Intake] = []
    for name, source in sorted(config.sources.items()):
        places = [_place(client, partition, name) for partition in range(config.log.partitions)]
        intake.append(_intake(name, places))
        rows += [_row(client, name, destination, places, now) for destination in source.destinations]
    found = durability.judge(config.log.durability, durability.ask(client))
    return Status(tuple(rows), tuple(intake), found, _dedupe(client, config, now), strays.find(client, config))


def _server_seconds(client: "redis.Redis") -> float:
    seconds, microseconds = client.time()
    return seconds + microseconds / 1e6


class Place(msgspec.Struct, frozen=True):
    """What the log says of one source in one partition."""

    stream: str
    counts: Counter[str]
    groups: Groups


def _place(client: "redis.Redis", partition: int, source: str) -> Place:
    found = cast(dict[bytes, bytes], client.hgetall(keys.count(partition, source)))
    counts = Counter({field.decode(): int(value) for field, value in found.items()})
    stream = keys.log(partition, source)
    return Place(stream, counts, groups_of(client, stream))


def _intake(source: str, places: Sequence[Place]) -> Intake:
    total = {kind: sum(place.counts[kind] for place in places) for kind in ("received", "duplicates", "refused")}
    return Intake(source=source, **total)


def _row(client: "redis.Redis", source: str, destination: str, places: Sequence[Place], now: float) -> Row:
    # Where it has no group yet, nothing has been received for it.
    there = [place.counts for place in places if destination in place.groups]
    received = sum(counts["received"] - counts[f"base:{destination}"] for counts in there)
    ended = {
        kind: sum(place.counts[f"{kind}:{destination}"] for place in places)
        for kind in ("delivered", "filtered", "dead")
    }
    waiting = received - sum(ended.values())
    oldest = _oldest(client, destination, places) if waiting else None
    return Row(
        source=source,
        destination=destination,
        received=received,
        waiting=waiting,
        oldest_waiting_seconds=None if oldest is None else max(0.0, now - oldest),
        out=_out(client, destination) if waiting else None,
        **ended,
    )


def _oldest(client: "redis.Redis", destination: str, places: Sequence[Place]) -> float | None:
    """When (seconds) the oldest message came that this destination has not finished with."""
    found = [_oldest_at(client, destination, place) for place in places]
    return min((moment for moment in found if moment is not None), default=None)


def _oldest_at(client: "redis.Redis", destination: str, place: Place) -> float | None:
    group = place.groups.get(destination)
    if group is None:
        return None
    oldest_pending = client.xpending(place.stream, destination)["min"] if group["pending"] else None
    if oldest_pending is not None:
        return _moment(oldest_pending)
    after = b"(" + group["last-delivered-id"]
    for entry_id, _ in cast(Iterator[tuple[bytes, Any]], client.xrange(place.stream, min=after, count=1)):
        return _moment(entry_id)
    return None


def _moment(entry_id: bytes) -> float:
    return milliseconds_of(entry_id.decode()) / 1000


def _out(client: "redis.Redis", destination: str) -> str | None:
    reason = cast(bytes | None, client.hget(keys.out(destination), "reason"))
    return None if reason is None else reason.decode()


def _dedupe(client: "redis.Redis", config: Config, now: float) -> Dedupe:
    """The window is that of the partition that forgets soonest."""
    in_force = float(config.log.dedupe_window)
    ids = 0
    for partition in range(config.log.partitions):
        ids += int(client.scard(keys.seen_new(partition))) + int(client.scard(keys.seen_old(partition)))
        since = cast(dict[bytes, bytes], client.hgetall(keys.seen_since(partition)))
        if since.get(b"full") == b"1":
            in_force = min(in_force, now - int(since[b"old"]) / 1000)
    return Dedupe(float(config.log.dedupe_window), in_force, ids, config.log.dedupe_ids)
