"""The child processes that work under one configuration: so many of each role, each replaced when it ends."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from worker.offspring import AWAY, Offspring, Work, fork, how_it_ended

QUICK_DEATH = 1.0
LONGEST_DELAY = 10.0
LONGEST_DELAY_AWAY = 2.0
LONGEST_DELAY_KILLED = 1.0
HOPELESS = 5
HOPELESS_WITHIN = 60.0
SILENT_AFTER = 20.0
BLINKED = 5.0
"""Who has not looked for so long was asleep itself, and cannot say who else was."""

logger = logging.getLogger(__name__)


class Role(msgspec.Struct, frozen=True):
    """A kind of child process."""

    name: str
    count: int
    work: Work
    needed: bool = True
    """Without a living one of these there is no point in going on."""


class _Seats:
    """The places of one role, taken or to be taken."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.taken: list[Offspring] = []
        self.failures: deque[float] = deque(maxlen=HOPELESS)
        self._next_start = 0.0
        self._delay = 0.0

    def fill(self, name_of: Callable[[int], str]) -> None:
        if time.monotonic() >= self._next_start:
            while len(self.taken) < self.role.count:
                self.taken.append(fork(self.role.name, name_of, self.role.work))

    def vacate(self, child: Offspring, code: int) -> None:
        """Its place is free; the quicker it died, the later somebody takes it."""
        self.taken.remove(child)
        quick = child.age() < QUICK_DEATH
        first, longest = _delays(code)
        self._delay = min(max(2 * self._delay, first), longest) if quick else 0.0
        self._next_start = time.monotonic() + self._delay
        # A signal comes from outside, or from one bad message: only who ends by itself cannot work at all.
        if quick and code >= 0 and code != AWAY:
            self.failures.append(time.monotonic())
        else:
            self.failures.clear()

    def hopeless(self) -> bool:
        """So many of them have ended right after their start that the next will not do better."""
        if any(child.age() >= QUICK_DEATH for child in self.taken):
            return False
        return len(self.failures) == HOPELESS and time.monotonic() - self.failures[0] < HOPELESS_WITHIN


def _delays(code: int) -> tuple[float, float]:
    """The first and the longest wait after deaths in a row. Who was killed may well do better than who gave up."""
    if code < 0:
        return 0.1, LONGEST_DELAY_KILLED
    return 0.5, LONGEST_DELAY_AWAY if code == AWAY else LONGEST_DELAY


class Team:
    """Started and ended as a whole, in a process with one thread."""

    def __init__(self, roles: Sequence[Role], family: str, *, silent_after: float = SILENT_AFTER) -> None:
        """`family` begins the names of all its processes."""
        self._seats = [_Seats(role) for role in roles]
        self._family = family
        self._silent_after = silent_after
        self._last_look = time.monotonic()
        self._patient_until = 0.0
        self._last_words = ""

    def start_missing(self) -> None:
        for seats in self._seats:
            seats.fill(self.name_of)

    def name_of(self, pid: int) -> str:
        return f"{self._family}.{pid}"

    def ask_to_stop(self, *, within: float) -> None:
        """Let them finish what they have in hand; who takes longer is killed at the next look."""
        for child in self.members():
            child.ask_to_stop(within=within)

    def members(self) -> list[Offspring]:
        return [child for seats in self._seats for child in seats.taken]

    def ready(self) -> bool:
        """Everybody has begun to work."""
        full = all(len(seats.taken) == seats.role.count for seats in self._seats)
        return full and all(child.slot.is_ready() for child in self.members())

    def look(self) -> list[Offspring]:
        """Kill who is silent, and say who has ended since the last look."""
        self._kill_silent()
        for child in self.members():
            child.kill_if_late()
        ended = []
        for seats in self._seats:
            for child in list(seats.taken):
                if (code := child.ended()) is not None:
                    seats.vacate(child, code)
                    ended.append(child)
                    self._last_words = child.slot.words()
                    if not child.was_asked_to_stop():
                        why = child.killed_for or how_it_ended(code)
                        logger.warning("%s %d ended: %s", child.role, child.pid, why)
        return ended

    def hopeless(self) -> str:
        """Why there is no point in going on; "" while there is."""
        for seats in self._seats:
            if seats.role.needed and seats.hopeless():
                words = f"; the last one said: {self._last_words}" if self._last_words else ""
                return f"{HOPELESS} {seats.role.name} processes in a row ended right after their start{words}"
        return ""

    def last_words(self) -> str:
        return self._last_words or "one of its processes ended"

    def _kill_silent(self) -> None:
        now = time.monotonic()
        if now - self._last_look > BLINKED:
            self._patient_until = now + self._silent_after
        self._last_look = now
        if now < self._patient_until:
            return
        for child in self.members():
            if (age := child.slot.age()) > self._silent_after:
                child.kill(f"no sign of life for {age:.0f} s{child.doing()}")
