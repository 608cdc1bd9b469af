"""Somebody who watches from outside hears of what stands still."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.receiver import Receiver
from tests.running import Role, Running, running
from tests.waiting import eventually
from worker import connect, keys

CONFIG = """
[worker]
processes = 1

[alarms]
silence = "6s"
canary = "1s"

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
"""

MESSAGE = {"userId": "u", "event": "E"}


def alarms(turnout: Running) -> list[dict[str, Any]]:
    status, body = turnout.request("GET", "/health/alarms")
    found: list[dict[str, Any]] = json.loads(body)["alarms"]
    assert status == (503 if found else 200)
    return found


def kinds(turnout: Running) -> set[str]:
    return {alarm["kind"] for alarm in alarms(turnout)}


def log_of(turnout: Running) -> "redis.Redis":
    return connect.client(json.loads((turnout.data / "run.json").read_text())["log_url"], timeout=5.0)


@pytest.fixture
def turnout(tmp_path: Path) -> Any:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as it:
        yield it


def test_where_all_is_well_there_is_no_alarm_and_canaries_arrive_everywhere(turnout: Running) -> None:
    with log_of(turnout) as client:
        names = [keys.canary(destination) for destination in ("hook", "archive")]
        eventually(lambda: all(client.hexists(name, "web") for name in names), what="a canary arrived everywhere")
    eventually(lambda: not alarms(turnout), what="no alarm")
    eventually(lambda: json.loads(turnout.request("GET", "/health/ready")[1])["workers"] == {"alive": 1, "silent": []})
    assert turnout.account("web", "hook")["received"] == 0, "a canary counts nowhere"


@pytest.mark.kill
def test_workers_that_freeze_are_told_and_the_collector_goes_on_taking_messages(turnout: Running) -> None:
    eventually(lambda: not alarms(turnout), what="no alarm")
    with turnout.frozen(Role.WORKERS), turnout.frozen(Role.WORKER):
        eventually(lambda: "silent" in kinds(turnout), within=60, what="the alarm")
        assert turnout.post("/v1/track", MESSAGE)[0] == 200
        assert turnout.ready()
    eventually(lambda: not alarms(turnout), within=60, what="no alarm any more")


@pytest.mark.kill
def test_processes_that_were_killed_are_not_missed_once_others_took_their_place(turnout: Running) -> None:
    turnout.back(turnout.kill(Role.WORKERS))
    eventually(lambda: not alarms(turnout), within=60, what="no alarm")


def test_a_destination_that_is_out_is_told_with_its_reason(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        eventually(lambda: not alarms(turnout), what="no alarm")
        with log_of(turnout) as client:
            client.hset(
                keys.out("hook"),
                mapping={"until": 0, "attempts": 1, "reason": "by hand", "scope": "operator", "since": 1},
            )
            (alarm,) = eventually(lambda: alarms(turnout), what="the alarm")
            assert (alarm["kind"], alarm["what"]) == ("out", "hook")
            assert "by hand" in alarm["words"]
