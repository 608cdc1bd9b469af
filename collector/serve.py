"""Run the HTTP side: the app on uvicorn, its way to the log, its nudges to the workers."""

import asyncio
import gc
import logging
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from redis.exceptions import RedisError

from collector import log_side
from collector.app import create_app
from collector.append import Appender
from collector.config import Config
from worker import connect
from worker.errors import WorkerError
from worker.nudge import Nudger, most_queued

STOP_WITHIN = 10
"""Seconds that requests under way get to finish at a stop."""

logger = logging.getLogger(__name__)


def run(config: Config) -> int:
    """Serve until SIGTERM or SIGINT. 0: stopped as asked; 1: cannot serve, and said why."""
    try:
        prepared = log_side.prepared(config)
    except (RedisError, WorkerError) as error:
        logger.error("cannot serve with the log at %r: %s", config.log.url, error)
        return 1
    _spare_the_collector_of_garbage()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, prepared=prepared))


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


async def _serve(config: Config, *, prepared: bool) -> int:
    nudger = Nudger(
        connect.client(config.rq.url, timeout=2.0),
        most_queued=most_queued(config.log.partitions, len(config.wanted())),
    )
    appender = log_side.appender(config, nudger.nudge, prepared=prepared)
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
