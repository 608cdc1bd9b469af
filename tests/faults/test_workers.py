"""F21 to F25: workers, their parent and RQ's server are killed and frozen under load."""

import pytest

from tests.faults.lasting import lasts
from tests.faults.scale import Scale
from tests.faults.town import LEASE
from tests.faults.trial import IN_HAND, Trial
from tests.running import Role

RECOVERED_WITHIN = (10.0, 5.0)
"""What a replaced worker may take beside other tests, and on a machine of its own; it takes well under a second."""


@pytest.mark.scenario("F21")
def test_a_killed_worker_is_replaced_at_once(trial: Trial, scale: Scale) -> None:
    turnout, rounds = trial.town.turnout, scale.of(2, 50)
    with trial.load() as ledger:
        for _ in range(rounds):
            ledger.grows_by(60)
            turnout.kill(Role.WORKER)
            assert trial.over() < scale.seconds(*RECOVERED_WITHIN)
    trial.prove(repeats=rounds * IN_HAND)


@pytest.mark.soak
@pytest.mark.scenario("F22")
def test_what_a_worker_wrote_after_its_lease_does_not_count(trial: Trial, scale: Scale) -> None:
    turnout, rounds = trial.town.turnout, scale.of(1, 11)
    with trial.load() as ledger:
        for _ in range(rounds):
            ledger.grows_by(60)
            with turnout.frozen(Role.WORKER):
                lasts(LEASE + 1)
                trial.over()
            trial.over()
    trial.prove(repeats=rounds * IN_HAND)


@pytest.mark.scenario("F23")
def test_an_rq_server_that_comes_back_empty_is_told_anew(trial: Trial, scale: Scale) -> None:
    turnout = trial.town.turnout
    with trial.load() as ledger:
        for _ in range(scale.of(1, 10)):
            ledger.grows_by(60)
            turnout.back(turnout.kill(Role.RQ))
            trial.over()
    trial.prove(repeats=scale.of(0, IN_HAND))  # a busy machine may lose a lease


@pytest.mark.scenario("F24")
def test_while_rqs_server_stands_still_messages_are_taken(trial: Trial, scale: Scale) -> None:
    # Over a minute there gathers as much as otherwise in a few seconds: it is the way back that is timed.
    with trial.load(pause=scale.seconds(0.03, 0.3)) as ledger:
        ledger.grows_by(60)
        with trial.town.turnout.frozen(Role.RQ):
            ledger.grows_by(200)
            lasts(scale.seconds(1, 60))
        assert trial.over() < 10
    assert set(ledger.answers) == {200}
    trial.prove(repeats=IN_HAND)


@pytest.mark.scenario("F25")
def test_a_killed_parent_of_the_workers_is_replaced(trial: Trial, scale: Scale) -> None:
    turnout, rounds = trial.town.turnout, scale.of(1, 10)
    with trial.load() as ledger:
        for _ in range(rounds):
            ledger.grows_by(60)
            turnout.back(turnout.kill(Role.WORKERS))
            trial.over()
    trial.prove(repeats=rounds * IN_HAND)
