"""Destinations that the log still keeps messages for, though the configuration no longer has them."""

import msgspec
import redis

from worker import keys
from worker.config import Config
from worker.groups import groups_of

ACCOUNTS = ("base", "delivered", "filtered", "dead")


class Stray(msgspec.Struct, frozen=True):
    """The log of `source` cannot be trimmed past what this destination has not got."""

    source: str
    destination: str
    waiting: int


def find(client: "redis.Redis", config: Config) -> tuple[Stray, ...]:
    """Ask the log server. Raises redis.RedisError."""
    found: dict[tuple[str, str], int] = {}
    for source, settings in config.sources.items():
        for partition in range(config.log.partitions):
            groups = groups_of(client, keys.log(partition, source))
            for name in {owner_of(group) for group in groups}:
                if name not in settings.destinations:
                    waiting = _waiting(client, partition, source, name)
                    found[source, name] = found.get((source, name), 0) + waiting
    return tuple(Stray(source, name, waiting) for (source, name), waiting in sorted(found.items()))


def detach(client: "redis.Redis", config: Config, stray: Stray) -> None:
    """Let the log go on without this destination: what it has not got, it will not get from here."""
    for partition in range(config.log.partitions):
        stream = keys.log(partition, stray.source)
        groups = [group for group in groups_of(client, stream) if owner_of(group) == stray.destination]
        if not groups:
            continue
        pipe = client.pipeline(transaction=True)
        for group in groups:
            pipe.xgroup_destroy(stream, group)
        pipe.hdel(keys.detached(partition, stray.destination), stray.source)
        pipe.zrem(keys.ready(partition, stray.destination), stray.source)
        pipe.delete(keys.left(partition, stray.source, stray.destination))
        pipe.hdel(
            keys.count(partition, stray.source), *(f"{kind}:{stray.destination}" for kind in (*ACCOUNTS, "since"))
        )
        pipe.execute()


def owner_of(group: str) -> str:
    """Its destination: one that has nearly caught up holds the log by a second group (`worker.catchup.filling`)."""
    return group.partition("~")[0]


def _waiting(client: "redis.Redis", partition: int, source: str, destination: str) -> int:
    fields = ("received", *(f"{kind}:{destination}" for kind in ACCOUNTS))
    received, *ended = (int(found or 0) for found in client.hmget(keys.count(partition, source), fields))
    return received - sum(ended)
