"""How soon deliveries go on after a worker, or all workers of a machine, were killed in the middle of one."""

import os
import signal
import time
from pathlib import Path

import pytest

from collector import run
from tests.faults.scale import current
from tests.ledger import Ledger
from tests.processes import family, processes
from tests.receiver import Answer, Hang, Receiver
from tests.running import Role, Running, running
from tests.waiting import eventually
from worker import connect, keys

CONFIG = """
[worker]
processes = 2

[sources.web]
write_keys = ["dev"]
archive = false

[destinations.hook]
type = "webhook"
url = "{url}"
allow_private = true
batch_size = 10
"""

AT_ONCE = 1.0


def who_delivers(turnout: Running) -> list[int]:
    """The process ids of the workers that hold a lease now."""
    about = run.read(turnout.data)
    assert about is not None
    with connect.client(about.log_url, timeout=5.0) as client:
        tokens = client.mget([keys.lease(partition, "hook") for partition in range(8)])
    return [int(token.decode().rpartition(".")[2]) for token in tokens if token]


@pytest.mark.kill
def test_within_a_second_of_the_death_of_a_worker_its_messages_move_again(tmp_path: Path) -> None:
    waits: list[float] = []
    with Receiver() as receiver, running(tmp_path, CONFIG.format(url=receiver.url)) as turnout:
        for _ in range(3):
            receiver.clear()
            receiver.then(Hang())
            batch = [{"type": "track", "userId": "u", "event": f"E{number}"} for number in range(100)]
            assert turnout.post("/v1/batch", {"batch": batch})[0] == 200
            receiver.wait_for(1)
            (worker,) = eventually(lambda: who_delivers(turnout))
            begun = time.monotonic()
            os.kill(worker, signal.SIGKILL)
            receiver.wait_for(2)
            waits.append(time.monotonic() - begun)
            eventually(lambda: turnout.account("web", "hook")["waiting"] == 0)
    # Others may be busy on this machine: what counts is what is possible.
    assert min(waits) < AT_ONCE, waits


HOST_WITHIN = 15.0
"""The leases of the dead run for ten seconds; then somebody else has to notice. Held in the long form, `make soak`."""


@pytest.mark.kill
@pytest.mark.faults
def test_soon_after_the_death_of_a_host_another_has_delivered_what_it_left(tmp_path: Path) -> None:
    with (
        Receiver() as receiver,
        running(tmp_path, CONFIG.format(url=receiver.url)) as turnout,
        turnout.beside("work", "--workers", "2"),
        Ledger(turnout, threads=2, batch=4, pause=0.1) as ledger,
    ):
        receiver.always(Answer(after=0.2))  # so that everybody has something in hand
        took = recovery_from_the_death_of_a_host(turnout, receiver, ledger)
        receiver.always(Answer())
    if current().long:  # then nobody else is busy on this machine
        assert took < HOST_WITHIN, took


def recovery_from_the_death_of_a_host(turnout: Running, receiver: Receiver, ledger: Ledger) -> float:
    """Seconds from the death of one of two hosts to the delivery of all that was accepted before it."""

    def delivered() -> set[str]:
        return {message["messageId"] for request in receiver.taken for message in request.json()}

    eventually(lambda: len(hosts_at_work(turnout)) == 2, within=30, what="two hosts deliver")
    (parent,) = turnout.pids(Role.WORKERS)
    with turnout.frozen(Role.UP):  # which would start the host anew
        for pid in (parent, *(process.pid for process in family(parent))):
            os.kill(pid, signal.SIGKILL)
        begun, owed = time.monotonic(), ledger.ids()
        eventually(lambda: owed <= delivered(), within=90, what="what was owed arrived")
        return time.monotonic() - begun


def hosts_at_work(turnout: Running) -> set[int]:
    """The parents of the worker processes that hold leases now."""
    workers = who_delivers(turnout)
    return {process.parent for process in processes() if process.pid in workers}
