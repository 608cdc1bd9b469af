"""What must not change under a log that holds messages."""

from typing import cast

import redis

from worker import keys
from worker.errors import PartitionsChanged


def claim_partitions(client: "redis.Redis", partitions: int) -> None:
    """Begin the log with this number of partitions, or make sure that it was. Raises PartitionsChanged."""
    client.hsetnx(keys.SETTINGS, "partitions", partitions)
    same_partitions(client, partitions)


def same_partitions(client: "redis.Redis", partitions: int) -> None:
    """Make sure that the log was not begun with another number. Raises PartitionsChanged."""
    stored = cast(bytes | None, client.hget(keys.SETTINGS, "partitions"))
    if stored is not None and int(stored) != partitions:
        raise PartitionsChanged(stored=int(stored), configured=partitions)
