"""One Turnout for all tests of official clients, a source for each test, and the clients themselves."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.clients import node_setup
from tests.clients.driving import Driven, Report, Sdk
from tests.receiver import Receiver
from tests.running import Running, running
from tests.waiting import eventually

SOURCES = [f"s{number}" for number in range(20)]
PYTHON = Path(__file__).parent / "python"
SETTLES_WITHIN = 40.0


@dataclass(frozen=True)
class Desk:
    """A source of a running Turnout, and what became of its messages."""

    turnout: Running
    receiver: Receiver
    source: str

    @property
    def key(self) -> str:
        return f"key-of-{self.source}"

    def open(self, sdk: Sdk, **settings: Any) -> Driven:
        """The client, set up to send to this source."""
        own = {"write_key": self.key} if sdk.name == "python" else {"writeKey": self.key, "flushInterval": 300}
        return Driven(sdk, {"host": self.turnout.url, **own, **settings})

    def settled(self, received: int) -> dict[str, Any]:
        """What `status` says once so many messages came and each has gone where it has to."""

        def accounts() -> dict[str, Any] | None:
            status = self.turnout.status()
            rows = [row for row in status["rows"] if row["source"] == self.source]
            return status if all(row["received"] >= received and not row["waiting"] for row in rows) else None

        what = f"{received} messages of {self.source} settled"
        eventually(lambda: len(self.archived()) >= received, within=SETTLES_WITHIN, what=what)
        status = eventually(accounts, within=SETTLES_WITHIN, what=what)
        assert status is not None
        return status

    def account(self, destination: str, status: dict[str, Any]) -> dict[str, int]:
        """How the messages of a destination ended."""
        (row,) = [row for row in status["rows"] if (row["source"], row["destination"]) == (self.source, destination)]
        return {kind: row[kind] for kind in ("received", "delivered", "filtered", "dead")}

    def arrived(self, report: Report) -> list[dict[str, Any]]:
        """What the webhook was sent of the client's messages, in the order in which it came."""
        ids = set(report.ids)
        sent = [request.json() for request in self.receiver.requests]
        return [message for message in sent if message["messageId"] in ids]

    def archived(self) -> list[dict[str, Any]]:
        return self.turnout.archived(self.source)


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture(scope="package")
def turnout(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    sources = "".join(f'[sources.{name}]\nwrite_keys = ["key-of-{name}"]\n' for name in SOURCES)
    hook = f'[destinations.hook]\ntype = "webhook"\nurl = "{receiver.url}/hook"\nallow_private = true\n'
    with running(tmp_path_factory.mktemp("clients"), sources + hook) as started:
        yield started


@pytest.fixture(scope="package")
def unused_sources() -> Iterator[str]:
    return iter(SOURCES)


@pytest.fixture
def desk(turnout: Running, receiver: Receiver, unused_sources: Iterator[str]) -> Desk:
    turnout.wait_until_ready()
    return Desk(turnout, receiver, next(unused_sources))


@pytest.fixture(scope="session")
def python_sdk() -> Sdk:
    library = {"name": "analytics-python", "version": metadata.version("segment-analytics-python")}
    return Sdk("python", [sys.executable, "drive.py"], PYTHON, library)


@pytest.fixture(scope="session")
def node_sdk() -> Sdk:
    program, npm = node_setup.node_and_npm()
    node_setup.install_client(npm)
    name = "@segment/analytics-node"
    version = json.loads((node_setup.HERE / "package.json").read_text())["dependencies"][name]
    return Sdk("node", [program, "drive.mjs"], node_setup.HERE, {"name": name, "version": version})


@pytest.fixture(params=["python", "node"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    found: Sdk = request.getfixturevalue(f"{request.param}_sdk")
    return found
