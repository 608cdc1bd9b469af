"""Dopt's clients, unmodified, against the edge: what is stored of their calls, and what their callers are told."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from collector.app import create_app
from collector.log_port import LogUnavailable
from collector.policy import Policy, Rate
from schemas.limits import Limits
from tests.clients.certificate import Scenario, certified
from tests.clients.conftest import Desk
from tests.clients.dopt_clients import CLIENTS, DoptClient, Report, report_of, run_example
from tests.clients.front import Front
from tests.collector.client import KEYS, NOON, MemoryLog
from tests.collector.served import served

pytestmark = pytest.mark.clients

PAGE = Path(__file__).parents[2] / "docs" / "switching" / "dopt.md"
ANN = {"identifier": "u1", "properties": {"email": "ann@example.com", "seats": 3, "address": {"city": "Oakland"}}}
BEN = {"identifier": "u/2", "properties": {}}
ACME = {"identifier": "g1", "properties": {"name": "Acme", "plan": "pro"}}
EVERY_CALL = [
    ["identifyUser", {**ANN, "groups": [ACME, {"identifier": "g2", "properties": {}}]}],
    ["identifyUsers", [ANN, {**BEN, "groups": [ACME]}]],
    ["identifyGroup", ACME],
]
STORED = [
    ("identify", "u1", None, ANN["properties"]),
    ("group", "u1", "g1", ACME["properties"]),
    ("group", "u1", "g2", {}),
    ("identify", "u1", None, ANN["properties"]),
    ("identify", "u/2", None, {}),
    ("group", "u/2", "g1", ACME["properties"]),
    ("group", None, "g1", ACME["properties"]),
]
BIG = {"identifier": "u3", "properties": {"about": "x" * 40_000}}
NAMELESS = {"identifier": "", "properties": {}}


class MovingLog(MemoryLog):
    """Is away for the first so many puts."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away
        self.tries = 0

    async def put(self, items: Any, refusals: Any) -> None:
        self.tries += 1
        self.failure = LogUnavailable(1) if self.tries <= self.away else None
        await super().put(items, refusals)


@dataclass(frozen=True)
class Seen:
    """What a client did, at edges of which each has a log of its own."""

    dopt: DoptClient
    report: Report
    logs: dict[str, MovingLog]
    busy: Front
    """Before the edge that takes three messages at once, and hardly any after them."""
    addresses: set[str]

    def errors(self, run: str) -> list[tuple[int, str, str]]:
        """Of each call that failed: status, code, details."""
        failed = [each for each in self.report.outcomes[run] if "error" in each]
        return [(each["status"], each["body"]["code"], each["body"]["details"]) for each in failed]


RUNS: dict[str, tuple[int, str, list[Any]]] = {
    "moving": (2, "wk_web", [["identifyUser", ANN]]),
    "away": (99, "wk_web", EVERY_CALL),
    "stranger": (0, "of-nobody", EVERY_CALL),
    "busy": (0, "wk_web", EVERY_CALL),
    "big": (0, "wk_web", [["identifyUsers", [ANN, BIG, NAMELESS, BEN]], ["identifyUser", BIG]]),
    "too many": (0, "wk_web", [["identifyUsers", [ANN] * 101], ["identifyUsers", [ANN] * 100], ["identifyUsers", []]]),
}
"""For how many puts the log is away, the key, and the calls."""


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda each: each.client.name)
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    dopt: DoptClient = request.param
    logs = {name: MovingLog(away) for name, (away, _, _) in RUNS.items()}
    with ExitStack() as edges:
        rates = {"busy": {"web": Policy(rate=Rate(messages=0.001, burst=3))}}
        ports = {
            name: edges.enter_context(served(edge(log, policies=rates.get(name, {})))) for name, log in logs.items()
        }
        busy = edges.enter_context(Front(ports["busy"]))
        ports["busy"] = busy.port
        runs = {
            name: {"url": f"http://127.0.0.1:{ports[name]}", "key": key, "calls": calls}
            for name, (_, key, calls) in RUNS.items()
        }
        yield Seen(dopt, report_of(dopt, runs), logs, busy, {f"127.0.0.1:{port}" for port in ports.values()})


def edge(log: MemoryLog, keys: Mapping[str, list[str]] = KEYS, policies: Mapping[str, Policy] | None = None) -> Any:
    ids = count()
    return create_app(
        keys, log, now=lambda: NOON, new_id=lambda: f"new-{next(ids)}", limits=Limits(), policies=policies or {}
    )


@pytest.mark.parametrize("dopt", CLIENTS, ids=lambda each: each.client.name)
def test_every_call_arrives_as_it_was_told(dopt: DoptClient, desk: Desk) -> None:
    with certified(dopt.client, Scenario.CALLS):
        told = {"run": {"url": desk.turnout.url, "key": desk.key, "calls": EVERY_CALL}}
        outcomes = report_of(dopt, told).outcomes["run"]
        assert [each.get("answer", each) for each in outcomes] == [None, {"count": 2}, None]
        desk.settled(len(STORED))
        archived = desk.archived()
        assert sorted(map(str, map(shown, archived))) == sorted(map(str, STORED))
        assert [message["context"]["library"] for message in archived] == [dopt.library] * len(STORED)


def shown(message: dict[str, Any]) -> tuple[Any, ...]:
    return message["type"], message.get("userId"), message.get("groupId"), message["traits"]


def test_a_log_that_is_away_is_told_to_the_caller(seen: Seen) -> None:
    with certified(seen.dopt.client, Scenario.AWAY):
        errors = seen.errors("away")
        assert [(status, code) for status, code, _ in errors] == [(503, "internal_server_error")] * 3
        assert "nothing was stored" in errors[0][2]
        assert seen.logs["away"].tries == 3 * seen.dopt.tries
        assert seen.logs["away"].items == []


def test_a_source_past_its_rate_is_told_to_the_caller(seen: Seen) -> None:
    with certified(seen.dopt.client, Scenario.BUSY):
        errors = seen.errors("busy")
        assert [status for status, _, _ in errors] == [429] * 2
        assert all("nothing was stored" in details for _, _, details in errors), errors
        tried = [passed.answer.status for passed in seen.busy.passed]
        assert tried == [200] + [429] * (2 * seen.dopt.tries)
        tries = seen.busy.passed[1 : 1 + seen.dopt.tries]
        assert tries[-1].at - tries[0].at < 1.0 < float(tries[0].answer.headers["retry-after"])
        assert [item.user for item in seen.logs["busy"].items] == ["u1"] * 3


def test_a_client_that_tries_again_gets_through(seen: Seen) -> None:
    stored = [item.user for item in seen.logs["moving"].items]
    assert (stored, seen.errors("moving") == []) == ((["u1"], True) if seen.dopt.tries == 3 else ([], False))


def test_a_key_of_nobody_is_told_as_such(seen: Seen) -> None:
    with certified(seen.dopt.client, Scenario.KEY):
        words = "the write key belongs to no source"
        assert seen.errors("stranger") == [(401, "unauthorized_error", words)] * 3
        assert seen.logs["stranger"].tries == 0


def test_of_many_users_the_bad_ones_are_told_and_the_others_stored(seen: Seen) -> None:
    with certified(seen.dopt.client, Scenario.BIG):
        (many, alone) = seen.errors("big")
        assert many[:2] == alone[:2] == (400, "invalid_request_error")
        assert many[2].startswith("2 of 4 users are stored; these are not: [1] The message should be at most 32,768")
        assert '[2] "identifier" should be a non-empty string' in many[2]
        assert alone[2].startswith("The message should be at most 32,768 bytes long")
        assert [item.user for item in seen.logs["big"].items] == ["u1", "u/2"]
        assert len(seen.logs["big"].refusals) == 3


def test_a_hundred_users_are_the_most_at_once(seen: Seen) -> None:
    (error,) = seen.errors("too many")
    assert error == (400, "invalid_request_error", "the body holds 101 users; the most is 100")
    assert seen.report.outcomes["too many"][1:] == [{"answer": {"count": 100}}, {"answer": {"count": 0}}]


@pytest.mark.parametrize(("dopt", "language"), list(zip(CLIENTS, ("python", "js"), strict=True)), ids=("python", "js"))
def test_the_example_of_the_page_does_what_it_says(dopt: DoptClient, language: str) -> None:
    (example,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    log = MemoryLog()
    with served(edge(log, {"web": ["dev"]})) as port:
        run_example(dopt, example.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    assert [shown(message) for message in log.messages] == [
        ("identify", "u1", None, {"name": "Ann"}),
        ("group", None, "g1", {"name": "Acme"}),
    ]


def test_nothing_is_sent_to_any_other_host(seen: Seen) -> None:
    assert set(seen.report.connected) <= seen.addresses
