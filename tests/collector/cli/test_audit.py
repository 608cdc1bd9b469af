"""`turnout audit`: how the proof is shown."""

import json
from typing import Any

import msgspec
import redis

from collector.cli.audit import lines
from collector.cli.table import WIDTH
from tests.collector.cli.conftest import Turnout
from tests.waiting import eventually
from worker import keys
from worker.audit.report import Account, Broken, Report

FINE = Report(
    at_ms=1,
    accounts=(Account("web", "hook", 12, 9, 1, 1, 1, 0),),
    broken=(),
    differences=(),
    notes=("web has no archive",),
)


def test_a_proof_that_succeeds_is_shown_as_documented() -> None:
    assert list(lines(FINE)) == [
        "line  destination  accepted  delivered  filtered  waiting  dead  broken",
        "web   hook               12          9         1        1     1       0",
        "",
        "note: web has no archive",
        "every message is in exactly one place",
    ]


def test_what_is_broken_is_named() -> None:
    broken = Broken("web", "web", 3, "1709208000000-0/1", "m-1", "hook", "it ended 2 times: delivered, dead")
    found = msgspec.structs.replace(
        FINE, accounts=(Account("web", "hook", 2, 1, 0, 0, 0, 1),), broken=(broken,), differences=("a differs",)
    )
    shown = list(lines(found))
    assert shown[3:] == [
        "BROKEN m-1: web to hook, p03 1709208000000-0/1:",
        "  it ended 2 times: delivered, dead",
        "accounts: a differs",
        "note: web has no archive",
        "1 message out of place, 1 difference in the accounts",
    ]
    assert all(len(line) <= WIDTH for line in shown)


def test_the_exit_code_says_whether_all_is_well(configured: redis.Redis, turnout: Turnout) -> None:
    assert turnout("audit").code == 0
    configured.xreadgroup("hook", "c", {keys.log(0, "web"): ">"})
    rows: Any = configured.xpending_range(keys.log(0, "web"), "hook", "-", "+", 10)
    configured.xack(keys.log(0, "web"), "hook", *[row["message_id"] for row in rows])

    def found() -> bool:
        ended = turnout("audit", "--json", "--source", "web", "--since", "2024-01-01T00:00Z")
        report = json.loads(ended.out)
        return ended.code == 1 and [one["messageId"] for one in report["broken"]] == ["a"]

    eventually(found)


def test_a_time_that_is_none_is_wrong_usage(configured: redis.Redis, turnout: Turnout) -> None:
    ended = turnout("audit", "--since", "lately")
    assert (ended.code, "'lately' is neither a length of time" in ended.err) == (2, True)
    assert turnout("audit", "--source", "nowhere").code == 2
