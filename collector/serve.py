"""Run the HTTP side: the app on uvicorn, its way to the log, its nudges to the workers."""

import asyncio
import logging
import resource
import signal
import socket
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress

import uvicorn
import uvloop
from redis.exceptions import RedisError

from collector import log_side
from collector.api.door import Door
from collector.api.rooms import Rooms
from collector.app import Edge, create_app
from collector.append import Appender
from collector.browser import published
from collector.config import Config
from collector.groups.side import GroupSide
from collector.ids import Ids
from collector.listening import listen
from collector.reload import Reread
from collector.reloading import Reloader
from collector.room import Room
from collector.salts import SharedSalts
from collector.server import Server
from collector.tls import Certificate, Unusable
from collector.vitals import Pulse
from destinations.blame import steps_of
from worker import connect, garbage
from worker.errors import WorkerError
from worker.nudge import Nudger, most_queued

STOP_WITHIN = 10
"""Seconds that requests under way get to finish at a stop."""

logger = logging.getLogger(__name__)


def run(config: Config, read: Reread, sockets: Sequence[socket.socket] = ()) -> int:
    """Serve until SIGTERM or SIGINT. 0: stopped as asked; 1: cannot serve, and said why.

    `read` is asked for the configuration anew. `sockets` listen already; without them we listen ourselves.
    """
    hear_hangups()
    raise_the_limit_of_open_files()
    try:
        certificate = Certificate(config.collector.tls) if config.collector.tls else None
        prepared = log_side.prepared(config)
        listeners = list(sockets) or _listening(config)
    except Unusable as error:
        logger.error("cannot serve: %s [collector] tls: %s", config.path, error)
        return 1
    except OSError as error:
        logger.error("cannot listen on %s:%d: %s", config.collector.host, config.collector.port, error.strerror)
        return 1
    except (RedisError, WorkerError) as error:
        logger.error("cannot serve with the log at %r: %s", config.log.url, error)
        return 1
    garbage.look_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, read, listeners, certificate, prepared=prepared))


def _listening(config: Config) -> list[socket.socket]:
    return listen(config.collector.host, config.collector.port, config.collector.backlog)


def _make_room(config: Config) -> None:
    """Give new destinations their place in the log, while the old configuration is still in force."""
    try:
        log_side.prepare(config)
    except RedisError as error:
        words = "the log is away (%s): a new destination gets its place with the next message of each partition"
        logger.warning(words, type(error).__name__)


async def _serve(
    config: Config, read: Reread, sockets: list[socket.socket], certificate: Certificate | None, *, prepared: bool
) -> int:
    nudger = Nudger(
        connect.client(config.rq.url, timeout=2.0),
        most_queued=most_queued(config.log.partitions, len(config.wanted())),
    )
    appender = log_side.appender(config, nudger.nudge, prepared=prepared)
    pulse = Pulse(connect.client(config.log.url, timeout=config.log.timeout), config)
    salts = SharedSalts(connect.client(config.log.url, timeout=config.log.timeout))
    if prepared:
        await salts.fetch()  # before the first visitor, who would be another one after it
    groups = await _groups(appender, config)
    room = Room(int(config.collector.connections.bodies))
    door, rooms = Door(config.api, time.time, Ids(time.time)), Rooms(config)
    edge = _edge(config, appender, groups, pulse, salts, room, door, rooms)
    server = _server(config, edge, certificate)

    def swap(new: Config) -> None:
        # No await between these: no request sees one half of it.
        appender.renew(log_side.terms(new))
        _renew(new, edge, server, room, certificate)
        pulse.follow(new)
        _renew_profiles(new, groups, door, rooms)

    reloader = Reloader(config, read, prepare=_make_room, swap=swap, refuse=pulse.refuse, stop=server.stop)
    appender.start()
    beside = [
        told(reloader.keep_watching(), "reloader"),
        told(pulse.keep_beating(), "pulse"),
        told(salts.keep_fetching(), "salts"),
    ]
    try:
        await server.serve(sockets)
    finally:
        for task in beside:
            task.cancel()
        groups.stop()
        await appender.stop()
        await pulse.stop()
        for each in (salts, rooms):
            each.close()
        nudger.close()
    return 0 if server.started else 1


def _renew(new: Config, edge: Edge, server: Server, room: Room, certificate: Certificate | None) -> None:
    rules = server.rules = new.collector.connections
    room.most = int(rules.bodies)
    keys, limits, url = new.revealed_keys(), new.collector.limits, new.collector.public_url
    edge.renew(keys, limits, new.policies, new.trusted(), url, body_seconds=rules.body)
    if certificate is not None and new.collector.tls is not None:
        certificate.renew(new.collector.tls)


def _renew_profiles(new: Config, groups: GroupSide, door: Door, rooms: Rooms) -> None:
    groups.follow(new)
    door.renew(new.api)
    rooms.follow(new)


async def _groups(appender: Appender, config: Config) -> GroupSide:
    groups = GroupSide(appender, config)
    await groups.opened()
    return groups


def _edge(
    config: Config,
    appender: Appender,
    groups: GroupSide,
    pulse: Pulse,
    salts: SharedSalts,
    room: Room,
    door: Door,
    rooms: Rooms,
) -> Edge:
    return create_app(
        config.revealed_keys(),
        appender,
        now=time.time,
        new_id=Ids(time.time),
        limits=config.collector.limits,
        policies=config.policies,
        body_seconds=config.collector.connections.body,
        room=room,
        trusted=config.trusted(),
        public_url=config.collector.public_url,
        library=published.places(config.data),
        salt=salts,
        vitals=pulse,
        attaching=groups,
        door=door,
        rooms=rooms,
    )


def _server(config: Config, edge: Edge, certificate: Certificate | None) -> Server:
    return Server(
        uvicorn.Config(
            edge,
            backlog=config.collector.backlog,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_config=None,
            timeout_graceful_shutdown=STOP_WITHIN,
            ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
        ),
        config.collector.connections,
    )


def told(work: Coroutine[None, None, None], name: str) -> "asyncio.Task[None]":
    """What runs beside the server. Should it end by a bug, that is told, and requests go on."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the %s ended by a bug: %s at %s", task.get_name(), type(error).__name__, steps_of(error))


def raise_the_limit_of_open_files() -> None:
    """To what the system allows us: a connection is an open file, and many systems begin with 1,024 of them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS calls it unlimited, and takes less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def hear_hangups() -> None:
    """Until the reloader listens, a SIGHUP must not end the process: the file is looked at once more anyway."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
