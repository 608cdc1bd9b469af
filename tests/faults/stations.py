"""A Turnout with a source of its own for each fault of a destination; beside each troubled one stands a calm one."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import redis

from tests.faults.report import Row
from tests.faults.scenarios import SCENARIOS
from tests.ledger import Findings, Ledger, compare, whole_lines
from tests.receiver import Receiver
from tests.running import Running, free_port
from tests.waiting import eventually
from worker import connect, keys

PARTITIONS = 2

HEAD = """
[log]
partitions = {partitions}

[worker]
processes = 2
lease = "4s"
budget = "1s"
backoff = {{ first = "100ms", longest = "500ms" }}

[destinations.calm]
type = "file"
path = "{directory}/{{source}}.jsonl"
"""

STATION = """
[sources.{name}]
write_keys = ["{name}"]
archive = false
destinations = ["hook-{name}", "calm"]

[destinations.hook-{name}]
type = "webhook"
url = "{url}"
allow_private = true
timeout = "2s"
{settings}
"""


class Station:
    """What belongs to one scenario: its receiver, its source, its two destinations."""

    def __init__(self, scenario: str, settings: str) -> None:
        self.scenario = scenario
        self.name = scenario.lower()
        self.hook = f"hook-{self.name}"
        self.receiver = Receiver(port=free_port())
        self.settings = settings

    def table(self) -> str:
        return STATION.format(name=self.name, url=self.receiver.url, settings=self.settings)


class Stations:
    """`settings` are those of each scenario's webhook, in TOML."""

    def __init__(self, directory: Path, settings: dict[str, str]) -> None:
        self.directory = directory
        self.turnout = Running(directory, free_port(), "", {})
        self.by_scenario = {scenario: Station(scenario, words) for scenario, words in settings.items()}

    def start(self) -> None:
        head = HEAD.format(partitions=PARTITIONS, directory=self.directory)
        tables = "".join(station.table() for station in self.by_scenario.values())
        (self.directory / "turnout.toml").write_text(head + tables)
        for station in self.by_scenario.values():
            station.receiver.__enter__()
        self.turnout.start()

    def stop(self) -> None:
        try:
            self.turnout.clean_up()
        finally:
            for station in self.by_scenario.values():
                station.receiver.__exit__()


class Visit:
    """One fault tried at its station: the load meanwhile, the time until all is well again, and the proof."""

    def __init__(self, stations: Stations, scenario: str, tell: Callable[[Row], None]) -> None:
        self._tell = tell
        self._stations = stations
        self.turnout = stations.turnout
        self.station = stations.by_scenario[scenario]
        self.receiver = self.station.receiver
        self._recovery: float | None = None
        self.ledger = Ledger(self.turnout)

    def load(self, **options: Any) -> Ledger:
        usual: dict[str, Any] = {
            "name": self.station.name,
            "key": self.station.name,
            "threads": 1,
            "users": 6,
            "pause": 0.08,
        }
        self.ledger = Ledger(self.turnout, **usual | options)
        return self.ledger

    # what arrived

    def at_hook(self) -> list[dict[str, Any]]:
        return [message for request in self.receiver.taken for message in messages_of(request.json())]

    def at_calm(self) -> list[dict[str, Any]]:
        file = self._stations.directory / f"{self.station.name}.jsonl"
        return [json.loads(line) for line in whole_lines(file)]

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters of the troubled destination."""
        return letters_in(self.turnout, self.station.hook)

    def dead(self) -> set[str]:
        return {letter["messageId"] for letter in self.letters()}

    def waiting(self) -> int:
        """At both destinations."""
        client, found = log_of(self.turnout), 0
        for partition in range(PARTITIONS):
            counts = cast(dict[bytes, bytes], client.hgetall(keys.count(partition, self.station.name)))
            received = int(counts.get(b"received", 0))
            for name in (self.station.hook, "calm"):
                ended = ("base", "delivered", "filtered", "dead")
                found += received - sum(int(counts.get(f"{kind}:{name}".encode(), 0)) for kind in ended)
        return found

    # what must be

    def calm_goes_on(self, within: float = 3.0) -> None:
        """The other destination of the same source has everything that was accepted by now, soon."""
        owed = self.ledger.ids()
        eventually(
            lambda: owed <= {message["messageId"] for message in self.at_calm()},
            within=within,
            what="the calm destination got what was accepted",
        )

    def over(self, within: float = 30.0) -> float:
        """The fault has ended: wait until all that was accepted by now has arrived or died."""
        owed, began = self.ledger.ids(), time.monotonic()

        def settled() -> bool:
            arrived = {message["messageId"] for message in self.at_hook()}
            return owed <= arrived or owed <= arrived | self.dead()

        eventually(settled, within=within, what="what was owed arrived")
        self._recovery = time.monotonic() - began
        return self._recovery

    def prove(self, *, repeats: int = 0, dead: set[str] | None = None) -> None:
        """Nothing lost, nothing invented, nobody out of order, nobody dead but these, at most so many repeats."""
        eventually(lambda: self.waiting() == 0, within=30, what="nothing waited any more")
        found = compare(self.ledger, self.at_hook(), self.dead())
        calm = compare(self.ledger, self.at_calm())
        scenario = self.station.scenario
        fault = SCENARIOS[scenario].fault
        self._tell(Row(scenario, fault, found.messages, found.lost, found.doubled, found.disordered, self._recovery))
        assert found.messages > 0, "nothing was accepted: nothing is proven"
        assert (found.lost, found.invented, found.disordered) == (0, 0, 0), found
        assert calm == Findings(found.messages, 0, 0, 0, 0), "the calm destination has each once, in order"
        assert found.doubled <= repeats, found
        assert self.dead() == (dead or set())


def log_of(turnout: Running) -> "redis.Redis":
    """A client of the log server of a `turnout up`."""
    note = json.loads((turnout.data / "run.json").read_text())
    return connect.client(note["log_url"], timeout=5.0)


def letters_in(turnout: Running, destination: str) -> list[dict[str, Any]]:
    """The dead letters of a destination, wherever they are on their way from the log into the database."""
    client = log_of(turnout)
    streams = list(client.scan_iter(keys.dead(0, destination).replace("{p00}", "{p??}")))
    moved = _letters_in_file(turnout.data / "turnout.db", destination)
    entries = [entry for stream in streams for entry in cast(Any, client.xrange(stream))]
    there = [msgspec.json.decode(fields[b"letter"]) for _, fields in entries]
    found = {letter["messageId"]: letter for letter in [*moved, *there]}
    return list(found.values())


def _letters_in_file(file: Path, destination: str) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'dead_letters'").fetchone():
            return []  # the file is there before its tables are
        found = database.execute("SELECT message_id, code FROM dead_letters WHERE destination = ?", [destination])
        return [{"messageId": message_id, "code": code} for message_id, code in found]


def messages_of(body: Any) -> list[dict[str, Any]]:
    return body if isinstance(body, list) else [body]


def number_of(message: dict[str, Any]) -> int:
    """The place of a ledger's message in the order of posting."""
    return int(message["messageId"].rpartition("-")[2])
