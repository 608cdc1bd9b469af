"""F65: for as long as asked, something goes wrong every half a minute; the books balance and nothing swells."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lasting import lasts
from tests.faults.scale import Scale
from tests.faults.trial import IN_HAND, Trial
from tests.processes import family
from tests.receiver import Answer, Hang, Reset
from tests.running import Role
from tests.waiting import eventually

EVERY = 30.0
MOST_GROWTH = 96 * 1024 * 1024
"""Of all processes together: what caches, connections and new threads may take; a leak takes more."""


def kills(role: Role) -> Callable[[Trial], None]:
    def kill(trial: Trial) -> None:
        trial.town.turnout.back(trial.town.turnout.kill(role))

    kill.__name__ = f"{role.name} killed"
    return kill


def log_killed(trial: Trial) -> None:
    trial.town.log.restart()


def log_frozen(trial: Trial) -> None:
    with trial.town.log.frozen():
        lasts(1.5)


def worker_frozen(trial: Trial) -> None:
    with trial.town.turnout.frozen(Role.WORKER):
        lasts(5)


def log_cut_off(trial: Trial) -> None:
    trial.town.proxy.cut_after(100)
    trial.town.proxy.drop_all()


def log_full(trial: Trial) -> None:
    trial.town.log.set(maxmemory=1 << 20)
    lasts(1)
    trial.town.log.set(maxmemory=0)


def clock_jumps(trial: Trial) -> None:
    trial.town.clock.shift(3_600)
    lasts(1)
    trial.town.clock.shift(0)


def hook_down(trial: Trial) -> None:
    trial.town.receiver.always(Answer(503))
    lasts(2)
    trial.town.receiver.always(Answer())


def hook_cuts(trial: Trial) -> None:
    trial.town.receiver.then(*[Reset()] * 5)


def hook_hangs(trial: Trial) -> None:
    trial.town.receiver.then(*[Hang()] * 2)


FAULTS = [
    *(kills(role) for role in (Role.COLLECTOR, Role.WORKERS, Role.WORKER, Role.RQ)),
    *(log_killed, log_frozen, worker_frozen, log_cut_off, log_full),
    *(clock_jumps, hook_down, hook_cuts, hook_hangs),
]


@pytest.mark.scenario("F65")
def test_random_faults_for_as_long_as_asked_cost_nothing_but_time(trial: Trial, scale: Scale) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance, told = random.Random(seed), [f"seed {seed}"]
    end = time.monotonic() + scale.soak_minutes * 60 / 2
    with trial.load() as ledger:
        ledger.grows_by(200)
        before, tried = memory(trial), 0
        while tried < scale.of(2, 10) or time.monotonic() < end:
            fault = chance.choice(FAULTS)
            told.append(f"{time.strftime('%X')} {fault.__name__}")
            print(told[-1])
            fault(trial)
            trial.over()
            tried += 1
            lasts(scale.seconds(0, min(EVERY, max(0.0, end - time.monotonic()))))
    trial.prove(repeats=tried * IN_HAND)
    assert memory(trial) - before < MOST_GROWTH, told


def memory(trial: Trial) -> int:
    """Resident bytes of all processes of Turnout, once all are there."""
    roles = (Role.COLLECTOR, Role.WORKERS, Role.WORKER, Role.CLERK)
    eventually(lambda: all(trial.town.turnout.pids(role) for role in roles), what="everybody is at work")
    (up,) = trial.town.turnout.pids(Role.UP)
    return sum(resident(process.pid) for process in family(up))


def resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
