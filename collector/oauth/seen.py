"""Remembers which assertions have been used, and how many tokens each client has had lately. In memory, bounded."""

import math
from collections import OrderedDict

TOKENS = 60
"""That a client may get in a minute from one collector."""
MINUTE = 60.0
MOST_CLIENTS = 10_000
MOST_ASSERTIONS = 200_000


class Replayed(Exception):
    """This assertion has been used."""


class TooOften(Exception):
    """The client may come again in `wait` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"again in {wait} s")
        self.wait = wait


class Seen:
    def __init__(self) -> None:
        self._assertions: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def note(self, client: str, jti: str, good_until: float, now: float) -> None:
        """Raises Replayed or TooOften. Only those that proved who they are get here, so nobody else fills it."""
        self._forget(now)
        if (client, jti) in self._assertions:
            raise Replayed
        self._count(client, now)
        if len(self._assertions) >= MOST_ASSERTIONS:
            raise TooOften(int(MINUTE))
        self._assertions[client, jti] = good_until

    def _count(self, client: str, now: float) -> None:
        since, count = self._counts.pop(client, (now, 0))
        if not 0 <= now - since < MINUTE:
            since, count = now, 0
        self._counts[client] = (since, count + 1)
        if len(self._counts) > MOST_CLIENTS:
            self._counts.popitem(last=False)
        if count >= TOKENS:
            raise TooOften(max(1, math.ceil(since + MINUTE - now)))

    def _forget(self, now: float) -> None:
        """Oldest first; one that is good for longer than those after it holds them up, and does no harm by it."""
        while self._assertions and next(iter(self._assertions.values())) <= now:
            self._assertions.popitem(last=False)
