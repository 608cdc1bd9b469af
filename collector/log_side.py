"""Builds the collector's way to the log: its connection, its spool, what has to be done before the first message."""

import logging
import time

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.append import Appender
from collector.config import Config
from collector.exchange import Exchange
from collector.sending import Nudge
from collector.spool.spool import Spool
from collector.spool.status import DIRECTORY
from collector.suppression import Suppression
from worker import connect, durability
from worker.appending import Terms
from worker.log import Log
from worker.settings import claim_partitions

logger = logging.getLogger(__name__)


def prepared(config: Config) -> bool:
    """Prepare the log, where it is there; False where a spool can wait for it. Raises RedisError or WorkerError."""
    try:
        prepare(config)
    except RedisError as error:
        if not config.collector.spool:
            raise
        logger.warning("the log at %r is away: %s", config.log.url, error)
        return False
    return True


def prepare(config: Config) -> None:
    """Hold the configuration against the log server as it really is, and give new destinations their place."""
    client = connect.client(config.log.url, timeout=config.log.timeout)
    try:
        claim_partitions(client, config.log.partitions)
        log = Log(client, lease_ms=int(config.worker.lease * 1000))
        for source, destinations in config.routes().items():
            for partition in range(config.log.partitions):
                log.attach(partition, source, destinations)
        found = durability.judge(config.log.durability, durability.ask(client))
        for trouble in found.troubles:
            logger.warning("DURABILITY: the configuration promises %r, but %s", found.name, trouble)
    finally:
        client.close()


def appender(config: Config, nudge: Nudge, *, prepared: bool) -> Appender:
    """Everything that `serve` needs of the log. `prepared`: what `prepared` said."""
    return Appender(
        Exchange(_client(config), timeout=config.log.timeout),
        terms(config),
        nudge,
        replicas=1 if config.log.durability == "replica" else 0,
        timeout=config.log.timeout,
        spool=_spool(config),
        prepare=None if prepared else lambda: prepare(config),
        suppression=Suppression(connect.client(config.log.url, timeout=config.log.timeout)),
    )


def terms(config: Config) -> Terms:
    return Terms(
        routes=config.routes(),
        partitions=config.log.partitions,
        window_ms=int(config.log.dedupe_window * 1000),
        most_ids=config.log.dedupe_ids,
    )


def _spool(config: Config) -> Spool | None:
    most = config.collector.spool
    return Spool(config.data / DIRECTORY, most_bytes=most, now=time.time) if most else None


def _client(config: Config) -> "redis.asyncio.Redis":
    return redis.asyncio.Redis.from_url(
        config.log.url,
        protocol=2,
        socket_timeout=config.log.timeout,
        socket_connect_timeout=config.log.timeout,
        retry=Retry(NoBackoff(), 0),
    )
