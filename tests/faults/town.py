"""A whole Turnout that faults are tried on: its log server is ours to hurt, and a proxy leads to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import redis

from tests.faults.proxy import Proxy
from tests.faults.servers import Clock, ValkeyServer
from tests.ledger import whole_lines
from tests.receiver import Receiver
from tests.running import Running, free_port
from worker import keys

PARTITIONS = 4
BATCH = 50
LEASE = 4.0
SOURCE = "web"
DESTINATIONS = ("archive", "file", "hook")

CONFIG = """
[collector]
port = {port}

[log]
url = "{log}"
timeout = "1s"
partitions = {partitions}
{log_settings}

[worker]
processes = 2
lease = "{lease}s"
budget = "1s"
backoff = {{ first = "100ms", longest = "500ms" }}

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{hook}"
allow_private = true
timeout = "1s"
batch_size = {batch}
headers = {{ {headers} }}

[destinations.file]
type = "file"
path = "{file}"
"""


class Town:
    """`log` can be killed, frozen, starved and shifted in time; `proxy` is how Turnout reaches it."""

    def __init__(
        self,
        directory: Path,
        *,
        log: Path | None = None,
        log_settings: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`log` is the directory of the log server; `log_settings` go into the table [log]."""
        self.directory = directory
        self.clock = Clock(directory / "clock")
        self._log_settings = log_settings
        self.log = ValkeyServer(log or directory / "valkey", environment=self.clock.environment)
        self.proxy = Proxy(self.log.port)
        self.receiver = Receiver()
        self.spoilt = False
        """A test has done to it what its accounts cannot come back from."""
        self.turnout = Running(directory, free_port(), "dev", environment or {})
        self._read = 0
        self._seen: list[dict[str, Any]] = []
        self._again: list[dict[str, Any]] = []

    def start(self) -> None:
        self.log.start()
        self.proxy.__enter__()
        self.receiver.__enter__()
        self.configure()
        self.turnout.start()

    def configure(self, headers: str = "") -> None:
        """Write the configuration; `headers` are those of each request to the hook."""
        text = CONFIG.format(
            port=self.turnout.port,
            log=self.proxy.url,
            partitions=PARTITIONS,
            log_settings=self._log_settings,
            lease=f"{LEASE:g}",
            hook=self.receiver.url,
            headers=headers,
            batch=BATCH,
            file=self.directory / "{source}.jsonl",
        )
        fresh = self.directory / "turnout.fresh"
        fresh.write_text(text)
        fresh.replace(self.directory / "turnout.toml")

    def stop(self) -> None:
        try:
            self.turnout.clean_up()
        finally:
            self.receiver.__exit__()
            self.proxy.__exit__()
            self.log.kill()

    def audit(self) -> str:
        """What `turnout audit` finds wrong; "" when every message is where it should be."""
        ended = self.turnout.command("audit")
        return "" if ended.returncode == 0 else ended.stdout + ended.stderr

    def well(self) -> bool:
        """It takes messages and has delivered what it had."""
        try:
            return self.log.running() and self.turnout.ready() and not self.unsettled()
        except redis.RedisError:
            return False

    # what arrived

    def at_hook(self) -> list[dict[str, Any]]:
        """What the receiver took, in order, without what a replay brought; parsed once."""
        self._look()
        return self._seen

    def replayed(self) -> list[dict[str, Any]]:
        """What replays brought to the receiver, in order."""
        self._look()
        return self._again

    def _look(self) -> None:
        taken = self.receiver.taken
        for request in taken[self._read :]:
            for message in request.json():
                (self._again if "_turnout" in message else self._seen).append(message)
        self._read = len(taken)

    def versions(self) -> list[str]:
        """What each request to the hook said of the version of its settings."""
        return [request.headers.get("x-version", "") for request in self.receiver.taken]

    def in_file(self) -> list[dict[str, Any]]:
        file = self.directory / f"{SOURCE}.jsonl"
        return [json.loads(line) for line in whole_lines(file)]

    def arrivals(self) -> dict[str, list[dict[str, Any]]]:
        return {"archive": self.turnout.archived(SOURCE), "file": self.in_file(), "hook": self.at_hook()}

    # what the log says

    def counts(self, name: str) -> int:
        """A number of the source's accounts, over all partitions."""
        client = self.log.client
        found = client.pipeline()
        for partition in range(PARTITIONS):
            found.hget(keys.count(partition, SOURCE), name)
        return sum(int(value or 0) for value in found.execute())

    def waiting(self) -> int:
        received = self.counts("received")
        ended = ("base", "delivered", "filtered", "dead")
        return sum(received - sum(self.counts(f"{kind}:{name}") for kind in ended) for name in DESTINATIONS)

    def unsettled(self) -> list[str]:
        """Everything in the log that says that somebody still has to do something; empty once it is quiet."""
        found = [f"{self.waiting()} messages wait"] if self.waiting() else []
        return found + list(self._marks())

    def _marks(self) -> Iterator[str]:
        client = self.log.client
        for partition in range(PARTITIONS):
            for kind in ("lease", "ready", "aside", "lane"):
                names = cast(list[bytes], client.keys(f"{keys.tag(partition)}:{kind}:*"))
                yield from (name.decode() for name in names)
            stream = keys.log(partition, SOURCE)
            if client.exists(stream):
                for group in client.xinfo_groups(stream):
                    if group["pending"]:
                        yield f"{group['pending']} pending for {group['name'].decode()} in {stream}"


@contextmanager
def own_town(directory: Path, **options: Any) -> Iterator[Town]:
    """A Turnout for one test, where something is not as usual."""
    town = Town(directory, **options)
    try:
        town.start()
        yield town
    finally:
        town.stop()
