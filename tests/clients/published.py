"""Runs a published client in a process of its own, through every scenario at once.

The programs (`node/certify.mjs`, `python/certify.py`, `go/main.go`, `java/Certify.java`) read from standard input
`{"AWAY": {"settings": {...}, "calls": [{"method": "track", "arguments": {...}}]}}` and make each run's calls on a
client of its own. They print `{"failures": {"AWAY": ["words of one message that was given up"]}, "connected":
["127.0.0.1:20000"]}`: what the client told its application, and with whom the process opened connections.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.clients.certificate import Client, Scenario
from tests.clients.front import Fault

ENDS_WITHIN = 110.0
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


@dataclass(frozen=True)
class Told:
    """A call on the client, and what has to be stored of it, whatever else the client puts there."""

    method: str
    arguments: Any
    """Named ones as an object, or those of a client with its own order as a list."""
    stored: Mapping[str, Any]


Numbered = Callable[[int, str], Told]


def _every_call() -> tuple[Told, ...]:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("identify", {"userId": "u1", "traits": {"email": "ada@example.com", "plan": "pro"}}),
        ("group", {"userId": "u1", "groupId": "g1", "traits": {"name": "Engines", "employees": 40}}),
        ("track", {"userId": "u1", "event": "Order Completed", "properties": {"revenue": 19.5, "currency": "EUR"}}),
        ("page", {"userId": "u1", "name": "Pricing", "properties": {"url": "https://example.com/p"}}),
        ("screen", {"userId": "u1", "name": "Basket", "properties": {"seen": True}}),
        ("alias", {"userId": "u1", "previousId": "a1"}),
    ]
    return tuple(Told(method, arguments, {"type": method, **arguments}) for method, arguments in calls)


def numbered(number: int, filling: str) -> Told:
    arguments = {"userId": "u1", "event": "N", "properties": {"n": str(number), "filling": filling}}
    return Told("track", arguments, {"type": "track", **arguments})


EVERY_CALL = _every_call()
FAULTS = {Scenario.AWAY: (Fault.AWAY, Fault.ANSWER_LOST), Scenario.BUSY: (Fault.BUSY,)}


@dataclass(frozen=True)
class Published:
    """A client, how it is run, and how it differs from the others."""

    client: Client
    command: Callable[[], Sequence[str]]
    settings: Callable[[str, str], Mapping[str, Any]]
    """Those of the client, for an address and a key."""
    library: Mapping[str, str]
    """What it says of itself in context.library."""
    calls: Sequence[Told] = EVERY_CALL
    numbered: Numbered = numbered
    faults: Mapping[Scenario, tuple[Fault, ...]] = field(default_factory=dict)
    """Where they are other ones than FAULTS."""
    names_messages: bool = True
    """Whether it gives every message an id."""
    secret: str = ""
    """What follows the name in its keys."""

    @property
    def slug(self) -> str:
        """A name for sources."""
        letters = f"{self.client.name}-{self.client.version}".lower()
        return "".join(letter if letter.isalnum() else "-" for letter in letters).strip("-")

    def key(self, scenario: Scenario) -> str:
        return f"{self.slug}-{scenario.name.lower()}{self.secret}"

    def faults_of(self, scenario: Scenario) -> tuple[Fault, ...]:
        return self.faults.get(scenario, FAULTS.get(scenario, ()))


class Report(msgspec.Struct, frozen=True):
    """What the process said at its end."""

    failures: Mapping[str, tuple[str, ...]]
    connected: tuple[str, ...]


def report_of(command: Sequence[str], runs: Mapping[str, Any]) -> Report:
    environment = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    ended = subprocess.run(
        command,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment,
        input=json.dumps(runs),
        timeout=ENDS_WITHIN,
    )
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return msgspec.json.decode(ended.stdout, type=Report)


def run_of(published: Published, scenario: Scenario, url: str, calls: Iterable[Told]) -> dict[str, Any]:
    key = "of-nobody:secret" if scenario is Scenario.KEY else published.key(scenario)
    told = [{"method": call.method, "arguments": call.arguments} for call in calls]
    return {"settings": dict(published.settings(url, key)), "calls": told}
