"""A destination that was detached comes back: nothing missing, nothing twice, in order."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import redis

from destinations.builtin.archive import Archive, ArchiveSettings
from destinations.outcome import Delivered, Outcome
from schemas.envelope import Envelope
from tests.worker.rig import Line, Scripted, append, config, run, terms
from worker import keys, scripts
from worker.catchup.detaching import detach, relieve
from worker.catchup.filling import catch_up
from worker.catchup.laggards import Laggard, share_used
from worker.config import Config, DestinationTable
from worker.courier import Courier
from worker.keeper import Keeper
from worker.log import Log

LAGGARD = Laggard(0, "web", "hook")


class Bench:
    """A source that goes to `hook` and to a real archive; `hook` takes messages when it is asked to."""

    def __init__(self, client: redis.Redis, directory: Path) -> None:
        self.client = client
        self.log = Log(client, lease_ms=10_000)
        self.terms = terms("archive", "hook")
        self.config: Config = config("archive", "hook")
        self.config.destinations["archive"] = DestinationTable(type="archive", settings={"dir": str(directory)})
        self.hook = Scripted()
        self._line = Line(client)
        self._archive = self._line.courier(self.hook)
        self._couriers = {"hook": self._courier({"hook": self.hook}), "archive": self._courier({"archive": Archive("archive", ArchiveSettings(dir=str(directory)))})}
