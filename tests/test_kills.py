"""Whoever is killed when: what was answered with 200 arrives everywhere, in order, and nothing else does."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import Ledger, first_deliveries
from tests.receiver import Receiver
from tests.running import Role, Running, running
from tests.waiting import eventually

CONFIG = """
[worker]
processes = 2
lease = "4s"
backoff = {{ first = "100ms", longest = "1s" }}

[sources.web]
write_keys = ["dev"]

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
batch_size = 50

[destinations.file]
type = "file"
path = "{directory}/{{source}}.jsonl"
"""

DESTINATIONS = ("archive", "file", "hook")
BATCH_IN_FLIGHT = 500


def quiet(turnout: Running) -> bool:
    status = turnout.status()
    return all(row["waiting"] == 0 for row in status["rows"])


def in_file(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "web.jsonl").read_text().splitlines()]


def at_hook(receiver: Receiver) -> list[dict[str, Any]]:
    """What came whole: a killed worker leaves half a request behind."""
    whole = [request for request in receiver.requests if len(request.body) == int(request.headers["content-length"])]
    return [message for request in whole for message in request.json()]


@pytest.mark.kill
@pytest.mark.parametrize(
    "roles",
    [
        pytest.param([Role.WORKER, Role.WORKER, Role.WORKER], id="worker processes"),
        pytest.param([Role.WORKERS], id="the parent of the workers"),
        pytest.param([Role.COLLECTOR], id="the collector"),
        pytest.param([Role.LOG], id="the log server"),
        pytest.param([Role.RQ], id="RQ's server, and all that was on it"),
        pytest.param([Role.WORKER, Role.LOG, Role.COLLECTOR, Role.RQ, Role.WORKERS], id="everybody in turn"),
    ],
)
def test_a_kill_under_load_loses_nothing_and_keeps_each_user_in_order(tmp_path: Path, roles: list[Role]) -> None:
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url, directory=tmp_path)) as turnout:
        with Ledger(turnout) as ledger:
            for role in roles:
                ledger.grows_by(300)
                turnout.back(turnout.kill(role))
            ledger.grows_by(300)
        eventually(lambda: quiet(turnout), within=60, what="everything was delivered")
        arrivals = {
            "archive": turnout.archived("web"),
            "file": in_file(tmp_path),
            "hook": at_hook(receiver),
        }
        status = turnout.status()
    for destination, messages in arrivals.items():
        ids = Counter(message["messageId"] for message in messages)
        assert set(ids) == ledger.ids(), f"{destination} has not what was accepted"
        assert ids.total() - len(ids) <= BATCH_IN_FLIGHT * len(roles) * 2, f"{destination} got too many repeats"
        assert first_deliveries(messages) == ledger.accepted, f"{destination} got some user's messages out of order"
    for row in status["rows"]:
        assert row["received"] == ledger.size(), "a message is twice in the log, or missing"
        assert row["delivered"] == row["received"]
        assert (row["filtered"], row["waiting"], row["dead"]) == (0, 0, 0)


@pytest.mark.kill
def test_killing_turnout_as_a_whole_and_starting_it_again_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with Receiver() as receiver:
        config = CONFIG.format(url=receiver.url, directory=tmp_path)
        with running(tmp_path, config) as turnout:
            with Ledger(turnout, threads=1) as ledger:
                ledger.grows_by(400)
            turnout.kill(Role.UP)
        with running(tmp_path, config) as turnout:
            eventually(lambda: quiet(turnout), within=60, what="everything was delivered")
        assert {message["messageId"] for message in at_hook(receiver)} == ledger.ids()
        assert first_deliveries(at_hook(receiver)) == ledger.accepted


@pytest.mark.kill
def test_a_stop_and_a_start_repeat_nothing(tmp_path: Path) -> None:
    with Receiver() as receiver:
        config = CONFIG.format(url=receiver.url, directory=tmp_path)
        with running(tmp_path, config) as turnout, Ledger(turnout, threads=1) as ledger:
            ledger.grows_by(400)
        with running(tmp_path, config) as turnout:
            eventually(lambda: quiet(turnout), within=60, what="everything was delivered")
        ids = [message["messageId"] for message in at_hook(receiver)]
        assert sorted(ids) == sorted(ledger.ids())
