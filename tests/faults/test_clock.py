"""F29 to F31: clocks jump, on the log server and at everybody else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lasting import lasts
from tests.faults.report import Row
from tests.faults.scale import Scale
from tests.faults.servers import Clock
from tests.faults.town import LEASE, own_town
from tests.faults.trial import IN_HAND, Trial
from tests.receiver import Answer
from tests.waiting import eventually

HOUR = 3_600


@pytest.mark.scenario("F29")
def test_the_log_servers_clock_may_jump_an_hour_and_back(trial: Trial, scale: Scale) -> None:
    rounds = scale.of(1, 10)
    with trial.load() as ledger:
        for _ in range(rounds):
            for shift in (HOUR, 0):
                ledger.grows_by(60)
                trial.town.clock.shift(shift)
                assert trial.over() < 2 * LEASE + 5, "no lease is stuck"
    trial.prove(repeats=2 * rounds * IN_HAND)


@pytest.mark.soak
@pytest.mark.scenario("F30")
def test_the_clocks_of_everybody_but_the_log_server_may_be_wrong(
    tmp_path: Path, scale: Scale, tell: Callable[[Row], None]
) -> None:
    clock = Clock(tmp_path / "others")
    with own_town(tmp_path, environment=clock.environment) as town:
        trial = Trial("F30", town, tell)
        with trial.load() as ledger:
            for shift in (HOUR, -HOUR, 0):
                ledger.grows_by(60)
                clock.shift(shift)
                refuse_for_a_while(trial)
                trial.over()
        # The archive is by the hour in which a collector says that a message came.
        trial.prove(repeats=3 * IN_HAND, archive_in_order=False)


@pytest.mark.scenario("F31")
@pytest.mark.parametrize("step", [20, -20])
def test_a_step_of_the_clock_does_not_hold_up_a_retry(trial: Trial, scale: Scale, step: int) -> None:
    with trial.load() as ledger:
        ledger.grows_by(60)
        trial.town.receiver.always(Answer(503))
        lasts(0.5)
        trial.town.clock.shift(step)
        trial.town.receiver.always(Answer())
        took = trial.over()
        trial.town.clock.shift(0)
        trial.over()
    trial.prove(repeats=IN_HAND)
    assert took < 5


def refuse_for_a_while(trial: Trial) -> None:
    receiver = trial.town.receiver
    receiver.always(Answer(503))
    before = len(receiver.requests)
    eventually(lambda: len(receiver.requests) > before, what="a request was refused")
    receiver.always(Answer())
