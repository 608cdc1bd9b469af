"""The process that does what one in the whole cluster has to do: duties, under a lock."""

import contextlib
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence

import redis
import sqlalchemy.exc

from destinations.sql.errors import DatabaseAway
from worker import beats, connect, keys, scripts
from worker.config import Config
from worker.database.engine import open_database
from worker.duties import Duty, duties_of
from worker.errors import WorkerError
from worker.pulse import Pulse
from worker.slot import Slot

ROLE = "clerk"
LOCK_MS = 15_000
RENEW_EVERY = 5.0
LOOK_EVERY = 1.0
LONGEST_DUTY = 600.0

AWAY = (redis.RedisError, WorkerError, DatabaseAway, sqlalchemy.exc.SQLAlchemyError, OSError)
"""What a server or a disk that is away raises: it will be back."""

logger = logging.getLogger(__name__)


class Lock:
    """Held by one process at a time. A thread renews it; who loses it finds out before the next duty."""

    def __init__(self, client: "redis.Redis", holder: str, *, lasts_ms: int = LOCK_MS) -> None:
        self._client = client
        self._holder = holder
        self._lasts_ms = lasts_ms
        self.held = False

    def take(self) -> bool:
        """Take it or renew it. When nobody answers, it is not ours."""
        self.held = False
        self.held = self._renewed(self._lasts_ms) or bool(
            self._client.set(keys.CLERK, self._holder, nx=True, px=self._lasts_ms)
        )
        return self.held

    def let_go(self) -> None:
        if self.held:
            self.held = False
            self._renewed(1)  # over in a millisecond, if it is still ours

    def _renewed(self, lasts_ms: int) -> bool:
        return bool(scripts.run(self._client, scripts.RENEW, [keys.CLERK], [self._holder, lasts_ms]))


class Clerk:
    """Does its duties while it has the lock, until it is asked to stop."""

    def __init__(self, lock: Lock, prepare: Callable[[], Sequence[Duty]]) -> None:
        """`prepare` finds the duties out: it may need servers that are away, and is then asked again."""
        self._lock = lock
        self._prepare = prepare
        self._duties: Sequence[Duty] | None = None
        self._due: dict[str, float] = {}
        self._failing: set[str] = set()
        self._stopping = False
        # Safe to ring from a signal handler, which an Event is not.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._in_hand: tuple[str, float] | None = None
        self._renewer = threading.Thread(target=self._renew, name="clerk-lock", daemon=True)

    def stop(self) -> None:
        """The duty in hand is done first. Safe in a signal handler."""
        self._stopping = True
        self._bell.put(None)

    def busy(self) -> tuple[str, float]:
        """The duty in hand, and for how many seconds."""
        in_hand = self._in_hand
        return (in_hand[0], time.monotonic() - in_hand[1]) if in_hand else ("", 0.0)

    def run(self) -> None:
        self._renewer.start()
        try:
            while not self._stopping:
                if self._works("taking the lock", self._take):
                    self.round()
                with contextlib.suppress(queue.Empty):
                    self._bell.get(timeout=LOOK_EVERY)
        finally:
            self._over.set()
            self._renewer.join()
            self._works("letting go of the lock", self._lock.let_go)

    def round(self) -> None:
        """Every duty that is due, once, as long as we have the lock."""
        if self._duties is None and not self._works("opening the database", self._find_duties):
            return
        for duty in self._duties or ():
            if self._stopping or not self._lock.held:
                return
            if time.monotonic() >= self._due.get(duty.name, 0.0):
                self._do(duty)

    def _do(self, duty: Duty) -> None:
        self._in_hand = (duty.name, time.monotonic())
        try:
            self._works(duty.name, duty.run)
        finally:
            self._in_hand = None
        self._due[duty.name] = time.monotonic() + duty.every

    def _find_duties(self) -> None:
        self._duties = self._prepare()

    def _take(self) -> None:
        self._lock.take()

    def _renew(self) -> None:
        """A duty may take longer than the lock lasts."""
        while not self._over.wait(RENEW_EVERY):
            if self._lock.held:
                self._works("renewing the lock", self._take)

    def _works(self, what: str, step: Callable[[], None]) -> bool:
        """Whether it did; somebody who is away is told of once, and once more when back."""
        try:
            step()
        except AWAY as error:
            if what not in self._failing:
                logger.warning("%s does not work, trying again: %s", what, error)
            self._failing.add(what)
            return False
        if what in self._failing:
            logger.warning("%s works again", what)
        self._failing.discard(what)
        return True


def run(config: Config, name: str, slot: Slot) -> None:
    """Be a clerk until SIGTERM. Only one of a cluster is on duty; the others are ready to take over."""
    client = connect.client(config.log.url, timeout=config.log.timeout)
    clerk = Clerk(Lock(client, name), lambda: duties_of(config, client, open_database(config)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: clerk.stop())
    pulse = Pulse(client, name, beats.sign(ROLE, config.version), slot, busy=clerk.busy, longest=LONGEST_DUTY)
    try:
        slot.ready()
        clerk.run()
    finally:
        pulse.close()
