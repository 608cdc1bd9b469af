"""Whose turn it is at one destination: partitions with live messages first, yet none waits for ever. Pure."""

import msgspec

LIVE_IN_A_ROW = 4
"""After so many turns of live messages one partition of the others gets its turn."""


class Turn(msgspec.Struct, frozen=True):
    """A partition to drain. `owed` batches of what is not live are carried there before it gives way to live ones."""

    partition: int
    owed: int


class Turns:
    """The partitions that wait. Each once, however often it was asked for."""

    def __init__(self) -> None:
        self._live: dict[int, None] = {}
        self._later: dict[int, None] = {}
        self._in_a_row = 0

    def __bool__(self) -> bool:
        return bool(self._live or self._later)

    def live_waits(self) -> bool:
        return bool(self._live)

    def add(self, partition: int) -> None:
        """Live messages wait there."""
        self._live[partition] = None

    def add_later(self, partition: int) -> None:
        """Something waits there that can wait: a replay, what an outage held up, retries."""
        self._later[partition] = None

    def take(self) -> Turn:
        """The next one; there must be one."""
        if self._later and (not self._live or self._in_a_row >= LIVE_IN_A_ROW):
            self._in_a_row = 0
            partition = next(iter(self._later))
            del self._later[partition]
            self._live.pop(partition, None)  # its live messages go first in this turn too
            return Turn(partition, owed=1)
        self._in_a_row += 1
        partition = next(iter(self._live))
        del self._live[partition]
        return Turn(partition, owed=0)
