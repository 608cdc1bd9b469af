"""The thread in a child process that shows its parent, and the cluster, that it lives."""

import threading
import time
from collections.abc import Callable

import redis

from worker import beats
from worker.beats import Beat
from worker.slot import Slot

SHOW_EVERY = 0.5

Busy = Callable[[], tuple[str, float]]
"""What has taken the longest so far, and for how many seconds."""


class Pulse:
    """Ends with the process, or with `close`, which takes the sign of life away."""

    def __init__(self, client: "redis.Redis", name: str, beat: Beat, slot: Slot, *, busy: Busy, longest: float) -> None:
        """Whoever is busy with one thing for more than `longest` seconds is not well."""
        self._client = client
        self._name = name
        self._beat = beat
        self._slot = slot
        self._busy = busy
        self._longest = longest
        self._next_beat = 0.0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        try:
            beats.remove(self._client, [self._name])
        except redis.RedisError:
            return  # it will be seen to be silent

    def _run(self) -> None:
        while True:
            self._show()
            if time.monotonic() >= self._next_beat:
                self._next_beat = time.monotonic() + beats.EVERY
                self._give_beat()
            if self._closed.wait(SHOW_EVERY):
                return

    def _show(self) -> None:
        what, seconds = self._busy()
        if seconds > self._longest:
            self._slot.last_words(what)
        else:
            self._slot.well(what)

    def _give_beat(self) -> None:
        try:
            beats.give(self._client, self._name, self._beat)
        except redis.RedisError:
            return  # whoever delivers says that the server is away
