"""This collector's sign of life, what it hears of the others, and the alarms that follow."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Mapping, Sequence

import msgspec
import redis
from redis.exceptions import RedisError

from collector.config import Config
from collector.reload import Refused
from worker import alarms, beats
from worker.alarms import WORKER, Alarm
from worker.beats import Beat

ROLE = "collector"
FRESH_FOR = 1.0
"""Seconds for which alarms are not looked for again, however many ask."""

logger = logging.getLogger(__name__)


class Workers(msgspec.Struct, frozen=True):
    """What is known of the processes that deliver."""

    alive: int
    silent: tuple[str, ...]


class Pulse:
    """Blocking calls to the log go to threads; one at a time uses the client."""

    def __init__(self, client: "redis.Redis", config: Config) -> None:
        self._client = client
        self._config = config
        self._refused: tuple[str, ...] = ()
        self._name = f"{socket.gethostname()}.{secrets.token_hex(4)}.{os.getpid()}"
        self._beats: list[Beat] | None = None
        self._alarms: Sequence[Alarm] = ()
        self._looked = -FRESH_FOR
        self._turn = asyncio.Lock()

    def follow(self, config: Config) -> None:
        """This configuration is in force from now on."""
        self._config, self._refused = config, ()

    def refuse(self, refused: Refused) -> None:
        """A configuration was refused; the one before stays in force."""
        self._refused = refused.reasons

    def facts(self) -> Mapping[str, object]:
        note = {"configNote": self._note()} if self._refused else {}
        return {"config": self._config.version, **note, "workers": self._workers()}

    async def alarms(self) -> Sequence[Alarm]:
        async with self._turn:
            if time.monotonic() - self._looked >= FRESH_FOR:
                self._alarms = await asyncio.to_thread(self._look)
                self._looked = time.monotonic()
        return self._alarms

    async def keep_beating(self) -> None:
        """Until cancelled."""
        while True:
            async with self._turn:
                self._beats = await asyncio.to_thread(self._beat)
            await asyncio.sleep(beats.EVERY)

    async def stop(self) -> None:
        """Take leave, so that nobody takes the silence for trouble."""
        async with self._turn:
            await asyncio.to_thread(self._leave)

    def _note(self) -> str:
        """Without the reasons themselves: /health is open to everybody."""
        return f"a changed configuration was refused ({len(self._refused)} reasons, see the log); the old one goes on"

    def _workers(self) -> Workers | None:
        """None while the log does not tell."""
        if self._beats is None:
            return None
        silent = beats.silent(self._beats, self._config.alarms.silence)
        quiet = tuple(beat.name for beat in silent if beat.role == WORKER)
        return Workers(sum(beat.role == WORKER for beat in self._beats) - len(quiet), quiet)

    def _beat(self) -> list[Beat] | None:
        sign = beats.sign(ROLE, self._config.version, note=self._note() if self._refused else "")
        try:
            beats.give(self._client, self._name, sign)
            return alarms.present(beats.read(self._client))
        except RedisError:
            return None  # the appender tells of it, and /health/ready

    def _look(self) -> Sequence[Alarm]:
        try:
            return alarms.alarms(self._client, self._config)
        except RedisError as error:
            words = f"the log server does not answer ({type(error).__name__})"
            return (Alarm(kind="log", what="log", words=words),)

    def _leave(self) -> None:
        try:
            beats.remove(self._client, [self._name])
        except RedisError:
            logger.info("the log is away: the last beat of this collector stays there")
        self._client.close()
