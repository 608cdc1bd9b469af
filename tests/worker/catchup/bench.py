"""A source that goes to a destination and to an archive, with couriers that carry when a test says so."""

from pathlib import Path
from typing import Any

import redis

from destinations.adapter import Destination
from destinations.builtin.archive import Archive, ArchiveSettings
from tests.worker.rig import SOON, Scripted, append, body, config, terms
from worker import keys
from worker.breaker import Breaker
from worker.catchup.filling import catch_up, gaps
from worker.catchup.laggards import Laggard
from worker.config import DestinationTable
from worker.courier import Courier, Pace
from worker.keeper import Keeper
from worker.log import Log

LAGGARD = Laggard(0, "web", "hook")


class Bench:
    """A source that goes to `hook` and to a real archive."""

    def __init__(self, client: "redis.Redis", directory: Path, *, partitions: int = 1) -> None:
        self.client = client
        self.log = Log(client, lease_ms=10_000)
        self.terms = terms("archive", "hook")
        self.config = config("archive", "hook", partitions=partitions)
        self.config.destinations["archive"] = DestinationTable(type="archive", settings={"dir": str(directory)})
        self.hook = Scripted()
        self._keeper = Keeper(self.log.renew, interval=60.0)
        self._archive = self._courier(Archive("archive", ArchiveSettings(dir=str(directory))))
        self._hook = self._courier(self.hook)

    def _courier(self, destination: Destination[Any]) -> Courier:
        return Courier(
            self.log,
            {destination.name: destination},
            self._keeper,
            Breaker(self.client, lease_ms=10_000, settings={}),
            owner="w1",
            policy=lambda name: SOON,
            pace=Pace(),
            most_aside=1_000,
            chance=lambda: 0.5,
        )

    def post(self, *names: str, user: str = "u") -> None:
        """One entry for all of them."""
        append(self.client, self.terms, *names, bodies=[body(name, user=user) for name in names])

    def archive_and_trim(self) -> None:
        self._archive.drain(0, "archive")
        self.log.trim(0, "web", ["archive", "hook"])

    def deliver(self) -> None:
        for partition in range(self.config.log.partitions):
            self._hook.drain(partition, "hook")

    def in_log(self) -> int:
        return int(self.client.xlen(keys.log(0, "web")))

    def catch_up(self) -> int:
        """Rounds of carrying and delivering until the destination has its group again; the messages carried."""
        carried = 0
        for _ in range(50):
            carried += catch_up(self.client, self.log, self.config)
            self.deliver()
            if not list(gaps(self.client, self.config)):
                return carried
        raise AssertionError("it never came back")

    def close(self) -> None:
        self._keeper.close()
