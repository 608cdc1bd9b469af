"""The log dies, hangs or is full under load: no client hears of it, nothing is lost, each user stays in order."""

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import Ledger, first_deliveries
from tests.running import Role, Running, running
from tests.waiting import eventually
from worker import connect

CONFIG = """
[log]
timeout = "500ms"

[worker]
processes = 1
lease = "4s"
backoff = {{ first = "100ms", longest = "1s" }}

[sources.web]
write_keys = ["dev"]

[destinations.file]
type = "file"
path = "{directory}/{{source}}.jsonl"
"""


def readiness(turnout: Running) -> dict[str, Any]:
    status, body = turnout.request("GET", "/health/ready")
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def killed(turnout: Running, ledger: Ledger) -> None:
    for _ in range(3):
        gone = turnout.kill(Role.LOG)
        turnout.back(gone)
        ledger.grows_by(200)


def frozen(turnout: Running, ledger: Ledger) -> None:
    with turnout.frozen(Role.LOG):
        ledger.grows_by(500)
        spool = readiness(turnout)["spool"]
        assert spool["messages"] >= 300
        assert spool["reason"]


def full(turnout: Running, ledger: Ledger) -> None:
    with connect.client(f"unix://{turnout.data / 'log' / 'valkey.sock'}", timeout=5.0) as log:
        log.config_set("maxmemory", 1)
        ledger.grows_by(500)
        log.config_set("maxmemory", 0)


@pytest.mark.kill
@pytest.mark.parametrize("trouble", [killed, frozen, full])
def test_clients_do_not_notice_what_happens_to_the_log(
    tmp_path: Path, trouble: Callable[[Running, Ledger], None]
) -> None:
    with running(tmp_path, CONFIG.format(directory=tmp_path)) as turnout:
        with Ledger(turnout) as ledger:
            ledger.grows_by(200)
            trouble(turnout, ledger)
            ledger.grows_by(200)
        eventually(lambda: "spool" not in readiness(turnout), within=60, what="the spool was emptied")
        arrived_once_and_in_order(turnout, ledger, tmp_path)
    assert ledger.repeats == 0, "some client was not answered with 200"


@pytest.mark.kill
def test_a_collector_that_is_killed_while_it_spools_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path, CONFIG.format(directory=tmp_path)) as turnout:
        with Ledger(turnout) as ledger:
            ledger.grows_by(200)
            with turnout.frozen(Role.LOG):
                for _ in range(2):
                    ledger.grows_by(300)
                    turnout.back(turnout.kill(Role.COLLECTOR))
                ledger.grows_by(300)
                assert readiness(turnout)["spool"]["messages"] >= 600
            turnout.back(turnout.kill(Role.COLLECTOR))
            ledger.grows_by(300)
        eventually(lambda: "spool" not in readiness(turnout), within=60, what="the spool was emptied")
        arrived_once_and_in_order(turnout, ledger, tmp_path)


@pytest.mark.kill
def test_stopping_all_of_it_while_messages_wait_here_loses_nothing(tmp_path: Path) -> None:
    config = CONFIG.format(directory=tmp_path)
    with running(tmp_path, config) as turnout:
        log = turnout.kill(Role.LOG, signal.SIGSTOP)
        with Ledger(turnout) as ledger:
            ledger.grows_by(200)
        turnout.kill(Role.UP)
        assert log.pid
    with running(tmp_path, config) as turnout:
        arrived_once_and_in_order(turnout, ledger, tmp_path)


def arrived_once_and_in_order(turnout: Running, ledger: Ledger, directory: Path) -> None:
    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = turnout.status()["rows"]
        assert all(row["received"] == ledger.size() for row in found)
        assert all(row["waiting"] == 0 for row in found)
        return found

    eventually(rows, within=60, what="everything was delivered")
    in_file = [json.loads(line) for line in (directory / "web.jsonl").read_text().splitlines()]
    for messages in (in_file, turnout.archived("web")):
        assert {message["messageId"] for message in messages} == ledger.ids()
        assert first_deliveries(messages) == ledger.accepted
    repeats = Counter(message["messageId"] for message in in_file).total() - ledger.size()
    assert repeats <= 500, "no more than one batch in flight"
