"""The parent of the worker processes: restarts them, frees what the dead held, sweeps and trims."""

import logging
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

import redis

from worker import child, connect, jobs, nudge
from worker.config import Config
from worker.errors import WorkerError
from worker.log import Log
from worker.settings import claim_partitions

TRIM_EVERY = 5.0
ROUSE_EVERY = 15.0
STOP_WITHIN = 12.0
QUICK_DEATH = 1.0
LONGEST_DELAY = 10.0
ARMED_MS = 5_000
NUDGE_AGAIN_MS = 1_000

logger = logging.getLogger(__name__)


class Pool:
    """Runs in one thread, because it forks."""

    def __init__(self, config: Config, work: Callable[[str], None]) -> None:
        """`work` is what a worker process does; it gets the name under which it holds leases."""
        self._config = config
        self._work = work
        client = connect.client(config.log.url, timeout=config.log.timeout)
        self._log = Log(client, lease_ms=int(config.worker.lease * 1000))
        self._rq = connect.client(config.rq.url, timeout=2.0)
        self._partitions = range(config.log.partitions)
        self._routes = config.routes()
        self._names = config.wanted()
        self._most_queued = nudge.most_queued(config.log.partitions, len(self._names))
        # Another pool on this host, or this one after a restart, may get the same process ids.
        self._crew = f"{socket.gethostname()}.{secrets.token_hex(4)}"
        self._started: dict[int, float] = {}
        self._dead: list[str] = []
        self._next_start = 0.0
        self._delay = 0.0
        self._stopping = False
        self._away = False

    def run(self) -> None:
        wake = self._listen()
        next_trim = next_rouse = 0.0
        while not self._stopping:
            self._reap()
            self._start_missing()
            self._guarded(self._sweep)
            if time.monotonic() >= next_trim:
                self._guarded(self._trim)
                next_trim = time.monotonic() + TRIM_EVERY
            if time.monotonic() >= next_rouse:
                self._guarded(self._rouse)
                next_rouse = time.monotonic() + ROUSE_EVERY
            select.select([wake], [], [], self._config.worker.sweep)
            _empty(wake)
        self._stop_children()

    def _listen(self) -> int:
        """A descriptor that becomes readable on SIGCHLD, SIGTERM and SIGINT."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        return reading

    def _stop(self, *_: object) -> None:
        self._stopping = True

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

    def _start_missing(self) -> None:
        missing = self._config.worker.processes - len(self._started)
        if missing <= 0 or time.monotonic() < self._next_start:
            return
        for _ in range(missing):
            pid = self._fork()
            self._started[pid] = time.monotonic()

    def _fork(self) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        try:
            signal.set_wakeup_fd(-1)
            # Until RQ listens, these just end the process: our handlers would only tell a pool that is not here.
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            self._work(self._owner(os.getpid()))
        except redis.RedisError as error:
            logger.error("a worker process cannot reach its servers: %s", error)
            os._exit(1)
        except BaseException:
            logger.exception("a worker process failed")
            os._exit(1)
        os._exit(0)

    def _owner(self, pid: int) -> str:
        return f"{self._crew}.{pid}"

    def _reap(self) -> None:
        for pid, status, lived in self._ended():
            self._delay = min(max(2 * self._delay, 0.5), LONGEST_DELAY) if lived < QUICK_DEATH else 0.0
            self._next_start = time.monotonic() + self._delay
            logger.warning("worker %d ended (%s), starting another", pid, os.waitstatus_to_exitcode(status))
        if self._dead:
            self._guarded(self._disown)

    def _ended(self) -> list[tuple[int, int, float]]:
        """Pid, status and age of the children that have ended since the last look; they are the dead now."""
        found = []
        for pid in list(self._started):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._dead.append(self._owner(pid))
                found.append((pid, status, time.monotonic() - self._started.pop(pid)))
        return found

    def _disown(self) -> None:
        while self._dead:
            for partition in self._partitions:
                self._log.disown(partition, self._names, self._dead[0])
            self._dead.pop(0)

    def _sweep(self) -> None:
        pairs: list[nudge.Pair] = []
        for partition in self._partitions:
            found = self._log.sweep(partition, self._names, again_ms=NUDGE_AGAIN_MS, armed_ms=ARMED_MS)
            pairs += [(partition, name) for name in found]
        if pairs:
            nudge.send(jobs.queue_on(self._rq), pairs, self._most_queued)

    def _rouse(self) -> None:
        """A collector with another configuration appends without marking what it does not know of."""
        for partition in self._partitions:
            for source, names in self._routes.items():
                self._log.rouse(partition, source, names)

    def _trim(self) -> None:
        for partition in self._partitions:
            for source, names in self._routes.items():
                self._log.trim(partition, source, names)

    def _stop_children(self) -> None:
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_WITHIN
        while self._started and time.monotonic() < end:
            self._ended()
            time.sleep(0.02)
        for pid in list(self._started):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._dead.append(self._owner(pid))
        self._guarded(self._disown)


def _empty(descriptor: int) -> None:
    try:
        while os.read(descriptor, 512):
            pass
    except BlockingIOError:
        return


def run(config: Config) -> int:
    """Run the workers until SIGTERM. 0: stopped as asked; 1: cannot work, and said why."""
    try:
        claim_partitions(connect.client(config.log.url, timeout=config.log.timeout), config.log.partitions)
    except (redis.RedisError, WorkerError) as error:
        logger.error("cannot work with the log at %r: %s", config.log.url, error)
        return 1
    Pool(config, lambda owner: child.run(config, owner)).run()
    return 0
