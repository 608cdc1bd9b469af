"""What must not change under a log that holds messages."""

from typing import cast

import redis

from worker import keys
from worker.errors import PartitionsChanged


def claim_partitions(client: "redis.Redis", partitions: int) -> None:
    """Begin the log with this number of partitions, or make sure that it was. Raises PartitionsChanged."""
    client.hsetnx(keys.SETTINGS, "partitions", partitions)
    stored = int(cast(bytes, client.hget(keys.SETTINGS, "partitions")))
    if stored != partitions:
        raise PartitionsChanged(stored=stored, configured=partitions)
