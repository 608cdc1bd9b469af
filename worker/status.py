"""The accounts of the log: per source and destination, what came in and what became of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec
import redis

from worker import alarms, durability, keys, oldest, strays
from worker.alarms import Alarm
from worker.canary import CanaryAge
from worker.config import Config
from worker.durability import Durability
from worker.groups import Groups, groups_of
from worker.lines import Line, line_of
from worker.stories.words import outage
from worker.strays import Stray

ENDS = ("delivered", "filtered", "dead")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """received = delivered + filtered + waiting + dead."""

    source: str
    """A source, or the line of a replay, which has accounts of its own."""
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
    suppressed: int = 0
    """Dropped at the door because their user is to be forgotten; not among those received."""


class Dedupe(msgspec.Struct, frozen=True):
    """How long a message id is remembered: as configured, and as the bound on ids really allows."""

    configured_seconds: float
    in_force_seconds: float
    ids: int
    most_ids: int


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What is not as usual at a destination."""

    destination: str
    aside: int = 0
    """Messages that failed while others got through, and those of the same users behind them; they count as waiting."""
    detached: tuple[str, ...] = ()
    """Sources whose messages it will be given from the archive, because it was out for so long."""
    outage: str = ""
    """Why it gets nothing, and what ends that."""


class Status(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    intake: tuple[Intake, ...]
    durability: Durability
    dedupe: Dedupe
    strays: tuple[Stray, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """Only of destinations that have one."""
    processes: dict[str, int] = {}
    """How many are alive, by what they do."""
    canaries: tuple[CanaryAge, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def read(client: "redis.Redis", config: Config) -> Status:
    """Ask the log server. Raises redis.RedisError."""
    seen = alarms.look(client, config)
    accounts = _Accounts(client, config)
    return Status(
        rows=tuple(accounts.rows()),
        intake=tuple(accounts.intake()),
        durability=durability.judge(config.log.durability, durability.ask(client)),
        dedupe=_dedupe(client, config, _server_seconds(client)),
        strays=strays.find(client, config),
        conditions=tuple(_conditions(client, config)),
        processes=dict(Counter(beat.role for beat in seen.beats)),
        canaries=tuple(seen.canaries),
        alarms=tuple(alarms.judged(seen, config.alarms)),
    )


def _server_seconds(client: "redis.Redis") -> float:
    seconds, microseconds = client.time()
    return seconds + microseconds / 1e6


class Place(msgspec.Struct, frozen=True):
    """What the log says of one account in one partition."""

    counts: Counter[str]
    groups: Groups


class _Accounts:
    """What the log counted, added up over the partitions."""

    def __init__(self, client: "redis.Redis", config: Config) -> None:
        self._client = client
        self._config = config
        self._waits = oldest.waits(client, config)
        self._places = {name: self._of(name) for name in sorted(config.sources)}

    def intake(self) -> Iterator[Intake]:
        suppressed = cast(dict[bytes, bytes], self._client.hgetall(keys.SUPPRESSED))
        for source, places in self._places.items():
            total = {
                kind: sum(place.counts[kind] for place in places) for kind in ("received", "duplicates", "refused")
            }
            yield Intake(source=source, **total, suppressed=int(suppressed.get(source.encode(), 0)))

    def rows(self) -> Iterator[Row]:
        for source, places in self._places.items():
            for destination in self._config.sources[source].destinations:
                yield self._row(source, destination, places)
        for line in sorted(self._replays(), key=lambda line: line.name):
            yield self._row(line.name, line.destination, self._of(line.name))

    def _replays(self) -> set[Line]:
        found: set[Line] = set()
        for partition in range(self._config.log.partitions):
            names = cast(set[bytes], self._client.smembers(keys.lines(partition)))
            found |= {line for line in map(line_of, (name.decode() for name in names)) if line.replay}
        return found

    def _of(self, account: str) -> list[Place]:
        return [_place(self._client, partition, account) for partition in range(self._config.log.partitions)]

    def _row(self, account: str, destination: str, places: Sequence[Place]) -> Row:
        there = [place.counts for place in places if _took_part(place, destination)]
        received = sum(counts["received"] - counts[f"base:{destination}"] for counts in there)
        ended = {kind: sum(place.counts[f"{kind}:{destination}"] for place in places) for kind in ENDS}
        waiting = received - sum(ended.values())
        return Row(
            source=account,
            destination=destination,
            received=received,
            waiting=waiting,
            oldest_waiting_seconds=self._waits.get((account, destination)) if waiting else None,
            out=_out(self._client, destination) if waiting else None,
            **ended,
        )


def _place(client: "redis.Redis", partition: int, account: str) -> Place:
    found = cast(dict[bytes, bytes], client.hgetall(keys.count(partition, account)))
    counts = Counter({field.decode(): int(value) for field, value in found.items()})
    return Place(counts, groups_of(client, keys.log(partition, account)))


def _took_part(place: Place, destination: str) -> bool:
    """Whether anything was ever meant for the destination: it has a group, or had one before it was detached."""
    counted = (place.counts[f"{kind}:{destination}"] for kind in (*ENDS, "base"))
    return destination in place.groups or any(counted)


def _out(client: "redis.Redis", destination: str) -> str | None:
    reason = cast(bytes | None, client.hget(keys.out(destination), "reason"))
    return None if reason is None else reason.decode()


def _conditions(client: "redis.Redis", config: Config) -> Iterator[Condition]:
    partitions = range(config.log.partitions)
    for name in config.wanted():
        aside = sum(int(client.get(keys.apart(partition, name)) or 0) for partition in partitions)
        detached = {
            source.decode()
            for partition in partitions
            for source in cast(list[bytes], client.hkeys(keys.detached(partition, name)))
        }
        found = Condition(destination=name, aside=aside, detached=tuple(sorted(detached)), outage=outage(client, name))
        if found != Condition(destination=name):
            yield found


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
