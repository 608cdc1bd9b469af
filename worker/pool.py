"""The parent of the worker processes: keeps a team of them at work, frees what the dead held, keeps the log moving."""

import logging
import os
import secrets
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence

import redis

from worker import beats, child, clerk, connect
from worker.config import Config
from worker.errors import WorkerError
from worker.offspring import Offspring
from worker.reload import FileWatch, Reload, fitting
from worker.scripts import run_all
from worker.settings import claim_partitions
from worker.team import SILENT_AFTER, Role, Team
from worker.tending import disown_call
from worker.upkeep import Upkeep

ROLE = "workers"
TRIM_EVERY = 5.0
ROUSE_EVERY = 15.0
LOOK_AT_FILE_EVERY = 1.0
STOP_WITHIN = 12.0
START_WITHIN = 30.0

Roles = Callable[[Config], Sequence[Role]]
"""The children that a configuration asks for."""

logger = logging.getLogger(__name__)


def roles_of(config: Config) -> list[Role]:
    return [
        Role(child.ROLE, config.worker.processes, lambda name, slot: child.run(config, name, slot)),
        Role(clerk.ROLE, 1, lambda name, slot: clerk.run(config, name, slot), needed=False),
    ]


class Pool:
    """Runs in one thread, because it forks."""

    def __init__(
        self,
        config: Config,
        roles: Roles = roles_of,
        *,
        reload: Reload | None = None,
        silent_after: float = SILENT_AFTER,
    ) -> None:
        self._config = config
        self._roles = roles
        self._reload = reload
        self._silent_after = silent_after
        self._client = connect.client(config.log.url, timeout=config.log.timeout)
        self._rq = connect.client(config.rq.url, timeout=2.0)
        # Another pool on this host, or this one after a restart, may get the same process ids.
        self._family = f"{socket.gethostname()}.{secrets.token_hex(4)}"
        self._served = set(config.wanted())
        self._sign = beats.sign(ROLE, config.version)
        self._team = self._team_for(config)
        self._upkeep = Upkeep(config, self._client, self._rq)
        self._coming: _Change | None = None
        self._leaving: list[Team] = []
        self._dead: list[str] = []
        self._file = FileWatch(config.path)
        self._file.doubt()
        self._reload_asked = self._stopping = self._away = False
        self._chores: list[_Chore] = [
            _Chore(0.0, self._sweep),
            _Chore(TRIM_EVERY, self._trim),
            _Chore(ROUSE_EVERY, self._rouse),
            _Chore(beats.EVERY, self._beat),
        ]

    def run(self) -> int:
        """Until SIGTERM: 0. Earlier when it cannot do its work: 1, and it has said why."""
        wake = self._listen()
        look_at_file = time.monotonic() + LOOK_AT_FILE_EVERY
        while not self._stopping:
            self._see_to_children()
            if why := self._team.hopeless():
                logger.error("giving up: %s", why)
                self._stop_children()
                return 1
            for chore in self._chores:
                if chore.due():
                    self._guarded(chore.step)
            if time.monotonic() >= look_at_file:
                self._reload_asked |= self._file.changed()
                look_at_file = time.monotonic() + LOOK_AT_FILE_EVERY
            self._reload_if_asked()
            select.select([wake], [], [], self._config.worker.sweep)
            _empty(wake)
        self._stop_children()
        return 0

    def _team_for(self, config: Config) -> Team:
        return Team(self._roles(config), self._family, silent_after=self._silent_after)

    def _listen(self) -> int:
        """A descriptor that becomes readable on SIGCHLD, SIGTERM, SIGINT and SIGHUP."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._ask_for_reload)
        return reading

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _ask_for_reload(self, *_: object) -> None:
        self._reload_asked = True

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except redis.RedisError as error:
            if not self._away:
                logger.warning("a server is away, waiting for it: %s", error)
            self._away = True
        else:
            if self._away:
                logger.warning("the servers are back")
            self._away = False

    def _sweep(self) -> None:
        self._upkeep.sweep()

    def _trim(self) -> None:
        self._upkeep.trim()

    def _rouse(self) -> None:
        self._upkeep.rouse()

    def _beat(self) -> None:
        beats.give(self._client, self._family, self._sign)

    # the children

    def _see_to_children(self) -> None:
        self._mourn(self._team.look())
        for team in self._leaving:
            self._mourn(team.look())
        self._leaving = [team for team in self._leaving if team.members()]
        self._change_over()
        if self._dead:
            self._guarded(self._disown)
        self._team.start_missing()

    def _mourn(self, ended: Sequence[Offspring]) -> None:
        self._dead += [one.name for one in ended]

    def _disown(self) -> None:
        """Free the leases of the dead, so that others go on at once."""
        names = sorted(self._served)
        while self._dead:
            dead = self._dead[0]
            run_all(self._client, [disown_call(each, names, dead) for each in range(self._config.log.partitions)])
            beats.remove(self._client, [dead])
            self._dead.pop(0)

    def _stop_children(self) -> None:
        teams = [self._team, *self._leaving, *([self._coming.team] if self._coming else [])]
        for team in teams:
            team.ask_to_stop(within=STOP_WITHIN)
        while any(team.members() for team in teams):
            for team in teams:
                self._mourn(team.look())
            time.sleep(0.02)
        self._guarded(self._disown)
        self._guarded(lambda: beats.remove(self._client, [self._family]))

    # another configuration

    def _reload_if_asked(self) -> None:
        """Begin to change over; one change at a time."""
        if not self._reload_asked or self._reload is None or self._coming is not None:
            return
        self._reload_asked = False
        config = fitting(self._reload, self._config)
        if config is not None and config.version != self._config.version:
            logger.warning("taking the configuration %s in place of %s", config.version, self._config.version)
            self._coming = _Change(config, self._team_for(config))
            self._coming.team.start_missing()

    def _change_over(self) -> None:
        """The new team takes over once all of it works; when it cannot, the old one goes on."""
        change = self._coming
        if change is None:
            return
        ended = change.team.look()
        self._mourn(ended)
        if ended or change.late():
            self._coming = None
            why = change.team.last_words() if ended else f"not at work after {START_WITHIN:g} s"
            logger.error("the new configuration does not work, the old one goes on: %s", why)
            self._leave(change.team)
        elif change.team.ready():
            self._coming = None
            old, self._team, self._config = self._team, change.team, change.config
            self._sign = beats.sign(ROLE, change.config.version)
            self._upkeep = Upkeep(change.config, self._client, self._rq)
            self._served |= set(change.config.wanted())
            self._leave(old)
            logger.warning("the configuration %s is at work", change.config.version)

    def _leave(self, team: Team) -> None:
        team.ask_to_stop(within=STOP_WITHIN)
        self._leaving.append(team)


class _Change:
    """A team that is about to take over."""

    def __init__(self, config: Config, team: Team) -> None:
        self.config = config
        self.team = team
        self._end = time.monotonic() + START_WITHIN

    def late(self) -> bool:
        return time.monotonic() >= self._end


class _Chore:
    """Something to do every so many seconds."""

    def __init__(self, every: float, step: Callable[[], None]) -> None:
        self.step = step
        self._every = every
        self._next = 0.0

    def due(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._every
        return True


def _empty(descriptor: int) -> None:
    try:
        while os.read(descriptor, 512):
            pass
    except BlockingIOError:
        return


def run(config: Config, reload: Reload | None = None) -> int:
    """Run the workers until SIGTERM. 0: stopped as asked; 1: cannot work, and said why."""
    try:
        claim_partitions(connect.client(config.log.url, timeout=config.log.timeout), config.log.partitions)
    except (redis.RedisError, WorkerError) as error:
        logger.error("cannot work with the log at %r: %s", config.log.url, error)
        return 1
    return Pool(config, reload=reload).run()
