"""Run the HTTP side: the app on uvicorn, its way to the log, its nudges to the workers."""

import asyncio
import gc
import logging
import signal
import socket
import time
import uuid
from collections.abc import Coroutine, Sequence

import redis.asyncio
import uvicorn
import uvloop
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.app import Edge, create_app
from collector.append import Appender
from collector.config import Config
from collector.exchange import Exchange
from collector.reload import Reread
from collector.reloading import Reloader
from collector.server import Server
from collector.vitals import Pulse
from destinations.blame import steps_of
from worker import connect, durability
from worker.appending import Terms
from worker.errors import WorkerError
from worker.log import Log
from worker.nudge import Nudger, most_queued
from worker.settings import claim_partitions

STOP_WITHIN = 10
"""Seconds that requests under way get to finish at a stop."""

logger = logging.getLogger(__name__)


def run(config: Config, read: Reread, sockets: Sequence[socket.socket] = ()) -> int:
    """Serve until SIGTERM or SIGINT. 0: stopped as asked; 1: cannot serve, and said why.

    `read` is asked for the configuration anew. `sockets` listen already; without them we listen ourselves.
    """
    hear_hangups()
    try:
        _prepare(config)
    except (RedisError, WorkerError) as error:
        logger.error("cannot serve with the log at %r: %s", config.log.url, error)
        return 1
    _spare_the_collector_of_garbage()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, read, list(sockets)))


def _prepare(config: Config) -> None:
    """Hold the configuration against the log server as it really is, and give new destinations their place."""
    client = connect.client(config.log.url, timeout=config.log.timeout)
    _make_room(client, config)
    found = durability.judge(config.log.durability, durability.ask(client))
    for trouble in found.troubles:
        logger.warning("DURABILITY: the configuration promises %r, but %s", found.name, trouble)
    client.close()


def _make_room_in_the_log(config: Config) -> None:
    """Give new destinations their place, while the old configuration is still in force."""
    client = connect.client(config.log.url, timeout=config.log.timeout)
    try:
        _make_room(client, config)
    except RedisError as error:
        words = "the log is away (%s): a new destination gets its place with the next message of each partition"
        logger.warning(words, type(error).__name__)
    finally:
        client.close()


def _make_room(client: "redis.Redis", config: Config) -> None:
    claim_partitions(client, config.log.partitions)
    log = Log(client, lease_ms=int(config.worker.lease * 1000))
    for source, destinations in config.routes().items():
        for partition in range(config.log.partitions):
            log.attach(partition, source, destinations)


def _spare_the_collector_of_garbage() -> None:
    """Messages are trees, freed when their request ends: looking for cycles among them finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve(config: Config, read: Reread, sockets: list[socket.socket]) -> int:
    nudger, appender = _log_side(config)
    pulse = Pulse(connect.client(config.log.url, timeout=config.log.timeout), config)
    edge = _edge(config, appender, pulse)
    server = _server(config, edge)

    def swap(new: Config) -> None:
        # No await between these: no request sees one half of it.
        appender.renew(_terms(new))
        edge.renew(new.revealed_keys(), new.collector.limits)
        pulse.follow(new)

    reloader = Reloader(config, read, prepare=_make_room_in_the_log, swap=swap, refuse=pulse.refuse, stop=server.stop)
    appender.start()
    beside = [told(reloader.keep_watching(), "reloader"), told(pulse.keep_beating(), "pulse")]
    try:
        await server.serve(sockets or None)
    except SystemExit:
        return 1  # uvicorn has said why it cannot listen
    finally:
        for task in beside:
            task.cancel()
        await appender.stop()
        await pulse.stop()
        nudger.close()
    return 0 if server.started else 1


def _log_side(config: Config) -> tuple[Nudger, Appender]:
    nudger = Nudger(
        connect.client(config.rq.url, timeout=2.0),
        most_queued=most_queued(config.log.partitions, len(config.wanted())),
    )
    appender = Appender(
        Exchange(_log_client(config), timeout=config.log.timeout),
        _terms(config),
        nudger.nudge,
        replicas=1 if config.log.durability == "replica" else 0,
        timeout=config.log.timeout,
    )
    return nudger, appender


def _terms(config: Config) -> Terms:
    return Terms(
        routes=config.routes(),
        partitions=config.log.partitions,
        window_ms=int(config.log.dedupe_window * 1000),
        most_ids=config.log.dedupe_ids,
    )


def _log_client(config: Config) -> "redis.asyncio.Redis":
    return redis.asyncio.Redis.from_url(
        config.log.url,
        protocol=2,
        socket_timeout=config.log.timeout,
        socket_connect_timeout=config.log.timeout,
        retry=Retry(NoBackoff(), 0),
    )


def _edge(config: Config, appender: Appender, pulse: Pulse) -> Edge:
    return create_app(
        config.revealed_keys(),
        appender,
        now=time.time,
        new_id=lambda: str(uuid.uuid4()),
        limits=config.collector.limits,
        vitals=pulse,
    )


def _server(config: Config, edge: Edge) -> Server:
    return Server(
        uvicorn.Config(
            edge,
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


def told(work: Coroutine[None, None, None], name: str) -> "asyncio.Task[None]":
    """What runs beside the server. Should it end by a bug, that is told, and requests go on."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the %s ended by a bug: %s at %s", task.get_name(), type(error).__name__, steps_of(error))


def hear_hangups() -> None:
    """Until the reloader listens, a SIGHUP must not end the process: the file is looked at once more anyway."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
