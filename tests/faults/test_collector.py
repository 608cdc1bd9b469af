"""F01 to F07: what clients see, and what is kept, when collectors die, stop and stand still."""

import contextlib
import http.client
import signal
import socket
from pathlib import Path

import pytest

from tests.faults.lasting import lasts
from tests.faults.scale import Scale
from tests.faults.town import Town
from tests.faults.trial import Trial
from tests.ledger import NO_ANSWER
from tests.running import Role, free_port
from tests.waiting import eventually

HEAD = b"POST /v1/batch HTTP/1.1\r\nHost: t\r\nAuthorization: Basic ZGV2Og==\r\nContent-Length: 4000\r\n\r\n"


def listens(town: Town, port: int) -> None:
    def there() -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return town.turnout.request("GET", "/health/ready", timeout=5, port=port)[0] == 200
        return False

    eventually(there, within=30, what="the second collector took messages")


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("before_append", marks=pytest.mark.scenario("F02")),
        pytest.param("after_append", marks=pytest.mark.scenario("F01")),
    ],
)
def test_a_collector_that_dies_around_the_append_leaves_each_message_once(trial: Trial, point: str) -> None:
    town, port = trial.town, free_port()
    dying = {"TURNOUT_CRASH_AT": point}
    with town.turnout.beside("serve", "--port", str(port), environment=dying) as collector:
        listens(town, port)
        with trial.load(threads=1, ports=[port, town.turnout.port]) as ledger:
            ledger.grows_by(40)
            trial.over()
        assert collector.wait(10) == -signal.SIGKILL
    assert ledger.answers[NO_ANSWER] > 0
    trial.prove()


@pytest.mark.scenario("F03")
def test_killed_collectors_cost_clients_a_repeat_and_no_message(trial: Trial, scale: Scale) -> None:
    town, port = trial.town, free_port()
    with town.turnout.beside("serve", "--port", str(port)):
        listens(town, port)
        with trial.load(ports=[town.turnout.port, port]) as ledger:
            for _ in range(scale.of(2, 40)):
                ledger.grows_by(60)
                town.turnout.back(town.turnout.kill(Role.COLLECTOR))
            trial.over()
    trial.prove()


@pytest.mark.scenario("F04")
def test_half_bodies_leave_nothing_behind(trial: Trial, scale: Scale) -> None:
    town = trial.town
    (pid,) = town.turnout.pids(Role.COLLECTOR)
    before = open_files(pid)
    with trial.load() as ledger:
        for _ in range(scale.of(100, 1_000)):
            with socket.create_connection(("127.0.0.1", town.turnout.port)) as client:
                client.sendall(HEAD + b'{"batch": [' + b" " * 2_000)
        ledger.grows_by(40)
        trial.over()
    eventually(lambda: open_files(pid) <= before + 10, what="the connections were closed")
    trial.prove()


@pytest.mark.scenario("F05")
def test_a_restart_answers_nothing_but_yes_and_later(trial: Trial, scale: Scale) -> None:
    town = trial.town
    with trial.load() as ledger:
        for _ in range(scale.of(2, 20)):
            ledger.grows_by(60)
            town.turnout.back(town.turnout.kill(Role.COLLECTOR, signal.SIGTERM))
        trial.over()
    assert set(ledger.answers) <= {200, 503, NO_ANSWER}
    trial.prove()


@pytest.mark.scenario("F06")
def test_while_one_collector_stands_still_the_other_takes_messages(trial: Trial, scale: Scale) -> None:
    town, port = trial.town, free_port()
    with town.turnout.beside("serve", "--port", str(port)):
        listens(town, port)
        with trial.load(ports=[town.turnout.port, port], threads=4) as ledger:
            with town.turnout.frozen(Role.COLLECTOR):
                ledger.grows_by(20)
                lasts(scale.seconds(1, 5))
                assert town.turnout.request("GET", "/health/ready", port=port)[0] == 200
            trial.over()
    trial.prove()


@pytest.mark.scenario("F07")
def test_many_idle_connections_keep_nobody_out(trial: Trial, scale: Scale) -> None:
    town = trial.town
    with contextlib.ExitStack() as idle, trial.load() as ledger:
        for _ in range(scale.of(400, 8_000)):
            idle.enter_context(socket.create_connection(("127.0.0.1", town.turnout.port)))
        ledger.grows_by(100)
        trial.over()
    assert set(ledger.answers) == {200}
    trial.prove()
