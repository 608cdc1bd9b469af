"""An archive with messages in it, and what a replay is run with."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import redis
from sqlalchemy import Engine

from destinations.outcome import Delivered
from destinations.registry import make
from schemas.envelope import Envelope
from tests.destinations.messages import envelope
from worker import keys
from worker.lines import Line
from worker.replay.account import Account
from worker.replay.planning import plan
from worker.replay.replay import RESUMABLE, Replay
from worker.replay.running import Surroundings
from worker.replay.selection import Selection
from worker.replay.store import Replays

PARTITIONS = 2


def archived(root: Path, *batches: Iterable[Envelope]) -> None:
    destination = make("archive", "archive", {"dir": str(root)}, place="turnout.toml [destinations.archive]")
    for batch in map(list, batches):
        assert destination.deliver(batch, time.monotonic() + 30) == [Delivered()] * len(batch)


def stored(number: int, *, user: str = "", hour: int = 7, source: str = "web") -> Envelope:
    """A message where the collector would have put it."""
    user = user or f"u{number % 5}"
    lane = keys.lane(keys.partition_of(source, user, PARTITIONS))
    at = f"2024-05-06T{hour:02d}:08:09.123Z"
    return envelope(number, user=user, source=source, lane=lane, received_at=at)


def planned(root: Path, replays: Replays, selection: Selection, *, rate: float = 0.0) -> Replay:
    """Planned, and set running."""
    found = plan(root, selection)
    replay = Replay(
        id="r5f3a2", destination="hook", selection=selection, matched=found.matched, size=found.size, rate=rate
    )
    replays.add(replay, found.manifest)
    return replays.move(replay.id, "running", allowed=RESUMABLE)


class Scene:
    """A replay's surroundings, with a destination that settles whatever is carried as soon as somebody waits."""

    def __init__(self, client: "redis.Redis", engine: Engine, root: Path) -> None:
        self.client = client
        self.replays = Replays(engine)
        self.root = root
        self.heard: list[tuple[Account, str]] = []
        self.nudged: list[tuple[int, str]] = []
        self.after_carrying: Callable[[], None] = lambda: None
        self.clock = 0.0
        self.waits: list[float] = []
        self.meanwhile: Callable[[], None] = self.deliver
        self.got: list[bytes] = []
        self.most_waiting = 0

    def around(self, root: Path | None = None) -> Surroundings:
        return Surroundings(
            client=self.client,
            replays=self.replays,
            archive=root or self.root,
            partitions=PARTITIONS,
            nudge=self._nudge,
            told=lambda account, trouble: self.heard.append((account, trouble)),
            now=lambda: self.clock,
            wait=self._wait,
        )

    def _nudge(self, pairs: Iterable[tuple[int, str]]) -> None:
        self.nudged.extend(pairs)
        self.after_carrying()

    def _wait(self, seconds: float) -> None:
        self.clock += seconds
        self.waits.append(seconds)
        self.meanwhile()

    def deliver(self) -> None:
        """What a courier does, in short."""
        waiting = 0
        for partition in range(PARTITIONS):
            for name in cast("set[bytes]", self.client.smembers(keys.lines(partition))):
                waiting += self._take(partition, name.decode())
        self.most_waiting = max(self.most_waiting, waiting)

    def _take(self, partition: int, line: str) -> int:
        stream, taken = keys.log(partition, line), 0
        for entry_id, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(stream)):
            bodies = fields[b"m"].split(b"\n")
            self.got += bodies
            taken += len(bodies)
            self.client.xdel(stream, entry_id)
        if taken:
            self.client.hincrby(keys.count(partition, line), "delivered:hook", taken)
        return taken

    def lines_left(self) -> int:
        named = [(partition, Line("web", "r5f3a2", "hook")) for partition in range(PARTITIONS)]
        return sum(int(self.client.exists(keys.log(partition, line.name))) for partition, line in named)
