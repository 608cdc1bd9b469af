"""Detach the destinations that hold messages in a log that is short of room."""

import logging
from collections.abc import Collection
from typing import cast

import redis

from worker import keys, scripts
from worker.catchup.laggards import Laggard, laggards, share_used
from worker.config import Config
from worker.log import Lease, Log

logger = logging.getLogger(__name__)


def relieve(client: "redis.Redis", log: Log, config: Config, out: Collection[str], owner: str) -> list[Laggard]:
    """Past the mark, detach who lags behind; who was detached. Nothing is dropped: the trim does that, in its time."""
    if share_used(client) < config.log.detach_at:
        return []
    gone = [laggard for laggard in laggards(client, config, out) if detach(client, log, laggard, owner)]
    for destination in sorted({laggard.destination for laggard in gone}):
        logger.warning("%s lags behind while the log is short of room: it will catch up from the archive", destination)
    return gone


def detach(client: "redis.Redis", log: Log, laggard: Laggard, owner: str) -> bool:
    """False when somebody delivers there just now, or there is no such group."""
    lease = log.acquire(laggard.partition, laggard.destination, owner)
    if not isinstance(lease, Lease):
        return False
    try:
        at = (laggard.partition, laggard.destination)
        names = [
            keys.lease(*at),
            keys.log(laggard.partition, laggard.source),
            keys.detached(*at),
            keys.left(laggard.partition, laggard.source, laggard.destination),
            keys.ready(*at),
        ]
        arguments = [lease.token, laggard.destination, laggard.source]
        return cast(int, client.eval(scripts.DETACH.text, len(names), *names, *arguments)) == 1
    finally:
        log.release_anyway(lease)
