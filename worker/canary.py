"""Entries without messages that travel like messages do: where they do not arrive, nothing does."""

from collections.abc import Iterator
from typing import cast

import msgspec
import redis

from worker import keys, scripts
from worker.config import Config

OWED = "owed:"
SENT = "sent:"


class CanaryAge(msgspec.Struct, frozen=True, kw_only=True):
    """How the canaries of a source fare at a destination."""

    source: str
    destination: str
    age_s: float
    """For how long one has been on its way; 0 when all have arrived."""
    sent_s: float
    """How long ago the last one was sent."""


def send_canaries(client: "redis.Redis", config: Config) -> None:
    """Append one for each source. Raises redis.RedisError."""
    seconds, _ = client.time()
    for number, (source, destinations) in enumerate(sorted(config.routes().items())):
        partition = in_turn(seconds, config) + number
        sent = _append(client, partition % config.log.partitions, source, destinations)
        for destination in destinations:
            _note(client, source, destination, sent)


def in_turn(now: float, config: Config) -> int:
    """The partition for the canaries of this moment (seconds): each has its turn."""
    return int(now / config.alarms.canary) % config.log.partitions


def ages(client: "redis.Redis", config: Config) -> list[CanaryAge]:
    """Of each source and destination to which a canary was ever sent. Raises redis.RedisError."""
    seconds, microseconds = client.time()
    now = seconds * 1000 + microseconds // 1000
    found = {name: _fields(client, name) for name in config.wanted()}
    pairs = [(source, name) for source, names in sorted(config.routes().items()) for name in names]
    return [age for source, name in pairs for age in _age(source, name, found[name], now)]


def _append(client: "redis.Redis", partition: int, source: str, destinations: tuple[str, ...]) -> int:
    names = [keys.log(partition, source), *(keys.ready(partition, name) for name in destinations)]
    return int(cast(int, client.eval(scripts.CANARY.text, len(names), *names, source, *destinations)))


def _note(client: "redis.Redis", source: str, destination: str, sent: int) -> None:
    """The last one sent; and as long as an earlier one is on its way, when the first of those was sent."""
    name = keys.canary(destination)
    arrived, before = (int(value or 0) for value in client.hmget(name, [source, f"{SENT}{source}"]))
    news: dict[str, int] = {f"{SENT}{source}": sent}
    if arrived >= before:
        news[f"{OWED}{source}"] = sent
    client.hset(name, mapping=news)  # type: ignore[arg-type]  # redis-py: invariant


def _fields(client: "redis.Redis", destination: str) -> dict[str, int]:
    found = cast(dict[bytes, bytes], client.hgetall(keys.canary(destination)))
    return {field.decode(): int(value) for field, value in found.items()}


def _age(source: str, destination: str, fields: dict[str, int], now: int) -> Iterator[CanaryAge]:
    sent, arrived, owed = (fields.get(field, 0) for field in (f"{SENT}{source}", source, f"{OWED}{source}"))
    if not sent:
        return
    # Of those on their way the first was sent at `owed`; where that one has arrived, soon after the last that did.
    waiting = 0 if arrived >= sent else now - max(owed, arrived)
    yield CanaryAge(
        source=source, destination=destination, age_s=max(0, waiting) / 1000, sent_s=max(0, now - sent) / 1000
    )
