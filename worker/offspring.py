"""A forked child process as its parent sees it."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable

import redis

from destinations.blame import steps_of
from destinations.errors import SettingsError
from worker import leash
from worker.slot import Slot

AWAY = 75
"""Exit code of a child whose servers are away: it is not its fault."""

Work = Callable[[str, Slot], None]
"""What a child does under its name; it returns when it was asked to stop."""

logger = logging.getLogger(__name__)


class Offspring:
    """One child process, until it has ended."""

    def __init__(self, pid: int, role: str, name: str, slot: Slot) -> None:
        self.pid = pid
        self.role = role
        self.name = name
        self.slot = slot
        self.killed_for = ""
        self._born = time.monotonic()
        self._kill_at: float | None = None

    def age(self) -> float:
        return time.monotonic() - self._born

    def ended(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it lives. To be asked until it says."""
        found, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None

    def was_asked_to_stop(self) -> bool:
        return self._kill_at is not None

    def ask_to_stop(self, *, within: float) -> None:
        self._kill_at = time.monotonic() + within
        os.kill(self.pid, signal.SIGTERM)

    def kill_if_late(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self.kill(f"it did not stop in time{self.doing()}")

    def kill(self, why: str) -> None:
        if not self.killed_for:
            logger.error("killing %s %d: %s", self.role, self.pid, why)
            self.killed_for = why
            os.kill(self.pid, signal.SIGKILL)

    def doing(self) -> str:
        """What it last said that it was busy with, as part of a sentence."""
        words = self.slot.words()
        return f" (busy with {words})" if words else ""


def fork(role: str, name_of: Callable[[int], str], work: Work) -> Offspring:
    """Start a child. The parent must have one thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    slot, parent = Slot(), os.getpid()
    pid = os.fork()
    if pid:
        return Offspring(pid, role, name_of(pid), slot)
    try:
        signal.set_wakeup_fd(-1)
        # These just end the process until it sets its own: the handlers of the parent tell somebody who is not here.
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        leash.settle_in(f"turnout-{role}", parent)
        work(name_of(os.getpid()), slot)
    except redis.RedisError as error:
        slot.last_words(f"cannot reach its servers: {error}")
        logger.error("a %s process cannot reach its servers: %s", role, error)
        os._exit(AWAY)
    except SettingsError as error:
        slot.last_words(f"wrong settings: {error}")
        logger.error("a %s process cannot use its settings: %s", role, error)
        os._exit(1)
    except BaseException as error:
        slot.last_words(f"{type(error).__name__} at {steps_of(error)}")
        logger.exception("a %s process failed", role)
        os._exit(1)
    os._exit(0)


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
