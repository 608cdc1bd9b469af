"""Run the HTTP side: the app on uvicorn, its way to the log, its nudges to the workers."""

import asyncio
import gc
import logging
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import redis.asyncio
import uvicorn
import uvloop
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.app import create_app
from collector.append import Appender
from collector.config import Config
from collector.exchange import Exchange
from worker import connect, durability
from worker.appending import Terms
from worker.errors import WorkerError
from worker.log import Log
from worker.nudge import Nudger, most_queued
from worker.settings import claim_partitions

STOP_WITHIN = 10
"""Seconds that requests under way get to finish at a stop."""

logger = logging.getLogger(__name__)


def run(config: Config) -> int:
    """Serve until SIGTERM or SIGINT. 0: stopped as asked; 1: cannot serve, and said why."""
    try:
        _prepare(config)
    except (RedisError, WorkerError) as error:
        logger.error("cannot serve with the log at %r: %s", config.log.url, error)
        return 1
    _spare_the_collector_of_garbage()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config))


def _prepare(config: Config) -> None:
    """Hold the configuration against the log server as it really is, and give new destinations their place."""
    client = connect.client(config.log.url, timeout=config.log.timeout)
    claim_partitions(client, config.log.partitions)
    log = Log(client, lease_ms=int(config.worker.lease * 1000))
    for source, destinations in config.routes().items():
        for partition in range(config.log.partitions):
            log.attach(partition, source, destinations)
    found = durability.judge(config.log.durability, durability.ask(client))
    for trouble in found.troubles:
        logger.warning("DURABILITY: the configuration promises %r, but %s", found.name, trouble)
    client.close()


class Server(uvicorn.Server):
    """uvicorn would end the process by the signal that stopped it; what is gathered must be flushed first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _spare_the_collector_of_garbage() -> None:
    """Messages are trees, freed when their request ends: looking for cycles among them finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve(config: Config) -> int:
    partitions = config.log.partitions
    nudger = Nudger(
        connect.client(config.rq.url, timeout=2.0), most_queued=most_queued(partitions, len(config.wanted()))
    )
    appender = Appender(
        Exchange(_log_client(config), timeout=config.log.timeout),
        Terms(
            routes=config.routes(),
            partitions=partitions,
            window_ms=int(config.log.dedupe_window * 1000),
            most_ids=config.log.dedupe_ids,
        ),
        nudger.nudge,
        replicas=1 if config.log.durability == "replica" else 0,
        timeout=config.log.timeout,
    )
    appender.start()
    server = _server(config, appender)
    try:
        await server.serve()
    except SystemExit:
        return 1  # uvicorn has said why it cannot listen
    finally:
        await appender.stop()
        nudger.close()
    return 0 if server.started else 1


def _log_client(config: Config) -> "redis.asyncio.Redis":
    return redis.asyncio.Redis.from_url(
        config.log.url,
        protocol=2,
        socket_timeout=config.log.timeout,
        socket_connect_timeout=config.log.timeout,
        retry=Retry(NoBackoff(), 0),
    )


def _server(config: Config, appender: Appender) -> Server:
    app = create_app(
        config.revealed_keys(),
        appender,
        now=time.time,
        new_id=lambda: str(uuid.uuid4()),
        limits=config.collector.limits,
    )
    return Server(
        uvicorn.Config(
            app,
            host=config.collector.host,
            port=config.collector.port,
            backlog=config.collector.backlog,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_config=None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=STOP_WITHIN,
        )
    )
