"""Put messages that may go after all into the log, by the same script as the collector."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import cast

import msgspec
import redis

from worker import keys, scripts
from worker.appending import Terms, append_call
from worker.config import Config
from worker.errors import WorkerError

REPLICA_MS = 2_000


class NotConfirmed(WorkerError):
    """No replica has the messages, and the configuration promises one."""

    def __init__(self) -> None:
        super().__init__("no replica has confirmed the messages: release them again, none will go twice")


class Accepted(msgspec.Struct, frozen=True):
    """A message as it is stored."""

    source: str
    message_id: str
    user: str
    body: bytes


def put(client: "redis.Redis", config: Config, messages: Sequence[Accepted]) -> int:
    """How many were appended; the others had come in before. Raises redis.RedisError, NotConfirmed."""
    terms = terms_of(config)
    appended = 0
    placed = sorted(((_place(each, terms.partitions), each) for each in messages), key=lambda one: one[0])
    for (partition, source), group in groupby(placed, key=lambda one: one[0]):
        together = [each for _, each in group]
        digests = [keys.digest_of(source, each.message_id) for each in together]
        names, arguments = append_call(terms, partition, source, digests, [each.body for each in together])
        appended += cast("list[int]", scripts.run(client, scripts.APPEND, names, arguments))[0]
    if config.log.durability == "replica" and messages and int(client.wait(1, REPLICA_MS)) < 1:
        raise NotConfirmed
    return appended


def terms_of(config: Config) -> Terms:
    routes: Mapping[str, tuple[str, ...]] = config.routes()
    return Terms(
        routes=routes,
        partitions=config.log.partitions,
        window_ms=int(config.log.dedupe_window * 1000),
        most_ids=config.log.dedupe_ids,
    )


def _place(message: Accepted, partitions: int) -> tuple[int, str]:
    return keys.partition_of(message.source, message.user, partitions), message.source
