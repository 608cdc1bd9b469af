"""A thread for each destination."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from tests.waiting import eventually
from worker import jobs
from worker.crew import Crew

Pair = tuple[int, str]


class Drains:
    """What was drained; a destination named `slow` waits until it is let go."""

    def __init__(self) -> None:
        self.done: list[Pair] = []
        self.again: list[Pair] = []
        self.let_go = threading.Event()
        self.begun = threading.Event()
        self.ends: list[str | BaseException] = []
        self.gives_way: Callable[[int], bool] = lambda carried: False

    def __call__(self, partition: int, destination: str, gives_way: Callable[[int], bool]) -> str:
        self.gives_way = gives_way
        if destination == "slow":
            self.begun.set()
            self.let_go.wait(20)
        self.done.append((partition, destination))
        end = self.ends.pop(0) if self.ends else "idle"
        if isinstance(end, BaseException):
            raise end
        return end

    def ask_again(self, partition: int, destination: str) -> None:
        self.again.append((partition, destination))


@pytest.fixture
def drains() -> Drains:
    return Drains()


@pytest.fixture
def crew(drains: Drains) -> Iterator[Crew]:
    crew = Crew(drains, drains.ask_again)
    yield crew
    drains.let_go.set()
    crew.close(within=5)


def test_a_destination_that_hangs_keeps_no_other_waiting(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    for partition in range(4):
        crew.take(partition, "quick")
    eventually(lambda: drains.done == [(partition, "quick") for partition in range(4)])


def test_a_destination_is_never_drained_twice_at_a_time(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    crew.take(1, "slow")
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("deliver to slow") == 1
    drains.let_go.set()
    eventually(lambda: drains.done == [(0, "slow"), (1, "slow")])


def test_a_partition_that_is_asked_for_many_times_while_another_is_drained_is_drained_once(
    crew: Crew, drains: Drains
) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    for _ in range(10):
        crew.take(1, "slow")
    crew.take(0, "slow")
    drains.let_go.set()
    eventually(lambda: len(drains.done) == 3)
    assert drains.done == [(0, "slow"), (1, "slow"), (0, "slow")], "what is asked for during a drain comes after it"


def test_what_is_not_done_in_one_go_is_offered_to_all_processes(crew: Crew, drains: Drains) -> None:
    drains.ends = ["more"]
    crew.take(3, "hook")
    eventually(lambda: drains.again == [(3, "hook")])


def test_without_rq_a_thread_goes_on_by_itself(drains: Drains) -> None:
    def away(partition: int, destination: str) -> None:
        raise redis.exceptions.ConnectionError("away")

    crew = Crew(drains, away)
    drains.ends = ["more", "more", "idle"]
    crew.take(3, "hook")
    eventually(lambda: drains.done == [(3, "hook")] * 3)
    crew.close(within=5)


def test_a_partition_with_live_messages_overtakes_those_with_none(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    for partition in (1, 2):
        crew.take(partition, "slow", jobs.LATER)
    crew.take(3, "slow")
    drains.let_go.set()
    eventually(lambda: [partition for partition, _ in drains.done] == [0, 3, 1, 2])


def test_what_can_wait_gives_way_to_live_messages_after_the_batch_that_it_is_owed(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow", jobs.LATER)
    drains.begun.wait(5)
    assert not drains.gives_way(1), "nobody waits"
    crew.take(1, "slow", jobs.LATER)
    assert not drains.gives_way(1), "who waits can wait"
    crew.take(2, "slow")
    assert [drains.gives_way(carried) for carried in (0, 1)] == [False, True]


def test_behind_live_messages_what_can_wait_is_owed_nothing(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    crew.take(1, "slow")
    assert drains.gives_way(0)


def test_what_gave_way_has_another_turn_at_the_same_thread(crew: Crew, drains: Drains) -> None:
    drains.ends = ["later", "later", "idle"]
    crew.take(3, "hook", jobs.LATER)
    eventually(lambda: drains.done == [(3, "hook")] * 3)
    assert drains.again == []


def test_whatever_goes_wrong_the_thread_goes_on(crew: Crew, drains: Drains, caplog: pytest.LogCaptureFixture) -> None:
    drains.ends = [redis.exceptions.ConnectionError("away"), ValueError("the password is pw"), SystemExit()]
    for partition in range(4):
        crew.take(partition, "hook")
    eventually(lambda: len(drains.done) == 4)
    assert "hook: the log is away: away" in caplog.text
    assert "ValueError at" in caplog.text
    assert "pw" not in caplog.text


def test_stopping_waits_for_what_is_in_hand_and_begins_nothing_new(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    crew.take(1, "slow")
    crew.stop()
    assert crew.take(0, "quick") == "stopping"
    threading.Timer(0.05, drains.let_go.set).start()
    assert crew.close(within=10) == []
    assert drains.done == [(0, "slow")]


def test_stopping_waits_only_so_long(crew: Crew, drains: Drains) -> None:
    crew.take(0, "slow")
    drains.begun.wait(5)
    assert crew.close(within=0.01) == ["slow"]


def test_it_knows_what_has_taken_the_longest(crew: Crew, drains: Drains, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    assert crew.slowest() == ("", 0.0)
    crew.take(0, "quick")
    crew.take(0, "slow")
    drains.begun.wait(5)
    eventually(lambda: crew.slowest()[0] == "slow" and crew.slowest()[1] > 0)
    drains.let_go.set()
    eventually(lambda: crew.slowest()[1] == 0.0)
