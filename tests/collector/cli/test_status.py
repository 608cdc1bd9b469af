"""`turnout status`: how the accounts are shown."""

import msgspec
import pytest

from collector.cli.status import lines, troubles
from worker.alarms import Alarm
from worker.durability import Durability
from worker.status import Condition, Dedupe, Intake, Row, Status
from worker.strays import Stray

DAY = 86_400.0
OUT = Alarm(kind="out", what="hook", words="hook is out: 503; tried again in 5 s")


def row(destination: str, waiting: int = 0, out: str | None = None) -> Row:
    return Row(
        source="web",
        destination=destination,
        received=12,
        delivered=12 - waiting,
        filtered=0,
        waiting=waiting,
        dead=0,
        oldest_waiting_seconds=0.04 if waiting else None,
        out=out,
    )


def status(*rows: Row, troubles: tuple[str, ...] = (), in_force: float = DAY, alarms: tuple[Alarm, ...] = ()) -> Status:
    return Status(
        rows=rows,
        intake=(Intake(source="web", received=12, duplicates=3, refused=1),),
        durability=Durability("fsync", "yes", "always", 0, troubles),
        dedupe=Dedupe(DAY, in_force, 12, 10_000_000),
        alarms=alarms,
    )


def test_the_accounts_are_as_documented() -> None:
    assert lines(status(row("console"), row("archive", waiting=2))) == [
        "source  destination  received  delivered  filtered  waiting  dead  oldest",
        "web     console            12         12         0        0     0  -",
        "web     archive            12         10         0        2     0  40 ms",
        "",
        "source  received  duplicates  refused",
        "web           12           3        1",
        "",
        "durability  fsync (appendonly yes, appendfsync always)",
        "dedupe      1.0 d in force, 12 of 10000000 ids",
    ]


def test_a_window_that_is_shorter_than_configured_is_shown() -> None:
    assert lines(status(in_force=7_200.0))[-1] == "dedupe      2.0 h in force (1.0 d configured), 12 of 10000000 ids"


def test_what_is_unusual_is_told_below_the_accounts() -> None:
    found = msgspec.structs.replace(
        status(row("hook")),
        conditions=(Condition(destination="hook", aside=12, detached=("app", "web"), outage="hook is out"),),
        processes={"worker": 2, "workers": 1, "clerk": 1},
    )
    assert lines(found)[-3:] == [
        "processes   1 clerk, 2 workers, 1 parent of workers",
        "aside       12 messages for hook",
        "detached    hook from app, web: it gets them from the archive",
    ]


def test_all_is_well_when_nothing_is_paused_and_the_server_keeps_its_promise() -> None:
    assert troubles(status(row("hook", waiting=2))) == []


@pytest.mark.parametrize(
    ("found", "trouble"),
    [
        (status(row("hook", waiting=2), alarms=(OUT,)), "alarm: hook is out: 503; tried again in 5 s"),
        (status(troubles=("appendonly is no",)), "warning: appendonly is no"),
    ],
)
def test_what_is_wrong_is_told_last(found: Status, trouble: str) -> None:
    assert troubles(found) == [trouble]
    assert lines(found)[-1] == trouble


def test_a_long_alarm_is_told_in_lines_that_fit() -> None:
    words = "hook is paused (settings): answered 401: the credentials are not accepted; `turnout resume hook` goes on"
    told = lines(status(row("hook"), alarms=(Alarm(kind="out", what="hook", words=words),)))
    assert told[-2:] == [
        "alarm: hook is paused (settings): answered 401: the credentials are not",
        "  accepted; `turnout resume hook` goes on",
    ]


def test_what_is_kept_for_a_destination_that_was_taken_out_is_told_with_the_way_out() -> None:
    found = msgspec.structs.replace(status(row("hook")), strays=(Stray("web", "old", 12),))
    (said,) = troubles(found)
    assert said.startswith("warning: web keeps 12 messages for old, which it no longer goes to")
    assert "`turnout detach web old`" in said
