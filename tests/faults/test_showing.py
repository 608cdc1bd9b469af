"""What goes wrong under load is shown by /health/alarms within five seconds, and gone ten seconds after its end."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.faults.town import Town
from tests.faults.trial import Trial
from tests.receiver import Answer, Hang
from tests.waiting import eventually

SHOWN_WITHIN = 5.0
GONE_WITHIN = 10.0

Fault = Callable[[Town], AbstractContextManager[object]]


def log_frozen(town: Town) -> AbstractContextManager[object]:
    return town.log.frozen()


@contextmanager
def log_killed(town: Town) -> Iterator[None]:
    town.log.kill()
    yield
    town.log.start()


@contextmanager
def log_full(town: Town) -> Iterator[None]:
    town.log.set(maxmemory=1 << 20)
    yield
    town.log.set(maxmemory=0)


@contextmanager
def hook_down(town: Town) -> Iterator[None]:
    town.receiver.always(Answer(503))
    yield
    town.receiver.always(Answer())


@contextmanager
def hook_hangs(town: Town) -> Iterator[None]:
    town.receiver.always(Hang())
    yield
    town.receiver.always(Answer())
    town.receiver.release()


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        pytest.param(log_killed, {"spool", "log"}, marks=pytest.mark.scenario("F08")),
        pytest.param(log_frozen, {"spool", "log"}, marks=pytest.mark.scenario("F11")),
        pytest.param(log_full, {"spool", "log"}, marks=pytest.mark.scenario("F12")),
        pytest.param(hook_down, {"out"}, marks=pytest.mark.scenario("F42")),
        pytest.param(hook_hangs, {"out"}, marks=pytest.mark.scenario("F48")),
    ],
)
def test_a_fault_shows_soon_and_is_soon_gone(trial: Trial, fault: Fault, kinds: set[str]) -> None:
    with trial.load() as ledger:
        ledger.grows_by(60)
        with fault(trial.town):
            eventually(lambda: kinds & shown(trial.town), within=SHOWN_WITHIN, what="an alarm was raised")
        eventually(lambda: not shown(trial.town), within=GONE_WITHIN, what="the alarm was gone")
    trial.prove(repeats=1_000)


def shown(town: Town) -> set[str]:
    """The kinds of alarm that are raised now."""
    _, body = town.turnout.request("GET", "/health/alarms")
    return {alarm["kind"] for alarm in json.loads(body)["alarms"]}
