"""What each published client was seen to do against a running Turnout: what must be seen, and the record of it.

A client is declared in a module of `tests/clients/catalog/`, as one of its `CLIENTS`. Its tests record what they saw:

    def test_...(...):
        with certified(CLIENT, Scenario.AWAY):
            ...  # act and assert

`python -m tests.clients.page` makes the table of docs/clients.md from the record.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import msgspec

HERE = Path(__file__).parent
VARIABLE = "TURNOUT_CERTIFICATE"
USUAL_RECORD = HERE.parents[1] / ".pytest_cache" / "certificate.jsonl"


class Scenario(Enum):
    """What a client is put through; the value heads the column of the table."""

    CALLS = "every call"
    AWAY = "503"
    BUSY = "429"
    KEY = "bad key"
    BIG = "too big"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A client as it is published, and the scenarios in which it is seen."""

    name: str
    version: str
    kind: str
    """`server`, `browser`, `mobile` or `recorded`: how it runs, and the table in which it stands."""
    language: str
    points: str
    """How it is pointed at Turnout: the option or line of code, without its value."""
    scenarios: Mapping[Scenario, str]
    """What it does there in a few words, for the notes below the table; empty where it simply loses nothing."""
    loses: frozenset[Scenario] = frozenset()
    """Where it gives messages up although Turnout would have taken them in a moment: seen as well, but no success."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the record."""

    client: str
    version: str
    kind: str
    scenario: Scenario
    passed: bool
    words: str


def clients() -> list[Client]:
    """All that are declared, whoever runs them."""
    folder = HERE / "catalog"
    names = sorted(module.name for module in iter_modules([str(folder)]))
    return [client for name in names for client in import_module(f"tests.clients.catalog.{name}").CLIENTS]


@contextmanager
def certified(client: Client, scenario: Scenario) -> Iterator[None]:
    """What is inside of `with` shows that the client does as declared, or that it does not."""
    words = client.scenarios[scenario]
    seen = Seen(
        client=client.name, version=client.version, kind=client.kind, scenario=scenario, passed=True, words=words
    )
    try:
        yield
    except BaseException:
        _write(msgspec.structs.replace(seen, passed=False))
        raise
    _write(seen)


def record() -> Path:
    return Path(os.environ.get(VARIABLE) or USUAL_RECORD)


def latest(path: Path) -> list[Seen]:
    """What was seen last of each client in each scenario."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [msgspec.json.decode(line, type=Seen) for line in lines]
    return list({(seen.client, seen.version, seen.scenario): seen for seen in found}.values())


def _write(seen: Seen) -> None:
    path = record()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(msgspec.to_builtins(seen)) + "\n"
    with path.open("ab", buffering=0) as file:  # one write a line: tests that run at once do not mix theirs
        file.write(line.encode())
