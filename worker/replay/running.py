"""Carry a replay's messages into their lines, no faster than they are delivered, until all are settled."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import redis

from destinations.archive.index import DamagedArchiveError
from worker.carrying import carry, drop
from worker.nudge import Pair
from worker.replay.account import Account, account_of
from worker.replay.chunks import Chunk, chunks, loads
from worker.replay.errors import ArchiveChanged, WrongState
from worker.replay.replay import RUNNING, Replay, State
from worker.replay.store import Replays
from worker.replay.tempo import Tempo

MOST_WAITING = 2_000
"""So many messages of a replay wait for the destination at a time: enough that it never waits for them."""
MOST_AT_ONCE = 500
LOOK = 0.1
AWAY = 1.0
NOTE_EVERY = 1.0
DROP_WITHIN = 15.0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay is run with."""

    client: "redis.Redis"
    replays: Replays
    archive: Path
    partitions: int
    nudge: Callable[[Iterable[Pair]], None]
    told: Callable[[Account, str], None] = lambda account, trouble: None
    """Hears how it stands, and what is in the way ("": nothing)."""
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


class _Stopped(Exception):
    """Somebody else decided that it shall not go on."""


class Runner:
    """One run of one replay."""

    def __init__(self, around: Surroundings, replay: Replay) -> None:
        self._around = around
        self._replay = replay
        self._tempo = Tempo(replay.rate, around.now())
        self._most = min(MOST_AT_ONCE, self._tempo.at_once) if replay.rate else MOST_AT_ONCE
        self._room = 0
        self._account = Account(carried=0, delivered=0, filtered=0, dead=0, dropped=0)
        self._asked_at = around.now() - LOOK
        self._reached = replay.reached
        self._noted_at = around.now()

    def run(self) -> State:
        """Until every message is delivered, filtered or dead, or somebody stops it. Raises DatabaseAway."""
        replays = self._around.replays
        try:
            self._carry_all()
            self._settle()
            replays.move(self._replay.id, "done", allowed=RUNNING)
        except (_Stopped, WrongState):
            pass  # somebody else decided how it goes on
        except (ArchiveChanged, DamagedArchiveError) as error:
            replays.move(self._replay.id, "failed", allowed=RUNNING, reason=str(error))
        finally:
            self.note()
        return replays.state_of(self._replay.id)

    def note(self) -> None:
        """Remember how far it has come."""
        self._noted_at = self._around.now()
        self._around.replays.note(self._replay.id, reached=self._reached, sent=self._account.carried)

    def _carry_all(self) -> None:
        manifest = self._around.replays.manifest_of(self._replay.id)
        for chunk in chunks(self._around.archive, manifest, self._replay, self._most):
            self._look("")
            self._make_way(len(chunk.messages))
            self._carry(chunk)
            self._reached = chunk.reached
            if self._around.now() - self._noted_at >= NOTE_EVERY:
                self.note()

    def _make_way(self, count: int) -> None:
        """Wait until so many may go: the rate allows it, and the destination is not too far behind."""
        while seconds := self._tempo.wait(count, self._around.now()):
            self._pause(min(seconds, LOOK))
        if self._around.now() - self._asked_at >= LOOK:
            self._ask()
        while self._room < count and not (self._ask() and self._room >= count):
            self._pause(LOOK)
        self._room -= count

    def _carry(self, chunk: Chunk) -> None:
        """Until the log has it: to begin again with the same chunk doubles nothing."""
        if not chunk.messages:
            return
        calls = loads(chunk, self._replay, self._around.partitions)
        while True:
            try:
                self._around.nudge(carry(self._around.client, calls))
                return
            except redis.RedisError as error:
                self._look(f"the log does not take messages: {error}")
                self._around.wait(AWAY)

    def _settle(self) -> None:
        """Wait for what was carried, and take its lines away."""
        while not self._ask() or self._account.waiting > 0:
            self._pause(LOOK)
        for partition, line in self._replay.lines(self._around.partitions):
            drop(self._around.client, partition, line)

    def _ask(self) -> bool:
        """Whether the log told how it stands."""
        self._asked_at = self._around.now()
        try:
            self._account = account_of(self._around.client, self._replay, self._around.partitions)
        except redis.RedisError as error:
            self._look(f"the log does not answer: {error}")
            self._around.wait(AWAY)
            return False
        self._look("")
        self._room = MOST_WAITING - self._account.waiting
        return True

    def _pause(self, seconds: float) -> None:
        self._look("")
        self._around.wait(seconds)

    def _look(self, trouble: str) -> None:
        """Tell how it stands, and see whether somebody paused or cancelled it."""
        self._around.told(self._account, trouble)
        if self._around.replays.state_of(self._replay.id) != "running":
            raise _Stopped


def cancel(around: Surroundings, replay_id: str, *, allowed: Sequence[State]) -> int:
    """Stop it for good and drop what still waits; gives back how many messages a courier has in hand nevertheless.

    Raises UnknownReplay, WrongState, redis.RedisError.
    """
    replay = around.replays.move(replay_id, "cancelled", allowed=allowed)
    end = around.now() + DROP_WITHIN
    left = replay.lines(around.partitions)
    while True:
        left = [(partition, line) for partition, line in left if drop(around.client, partition, line).in_hand]
        if not left or around.now() >= end:
            return account_of(around.client, replay, around.partitions).waiting
        around.wait(LOOK)
