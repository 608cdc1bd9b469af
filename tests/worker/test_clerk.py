"""The clerk: duties, done by one process of a cluster."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence

import pytest
import redis
from sqlalchemy.exc import OperationalError

from tests.waiting import eventually
from tests.worker.rig import exit_code, forked
from worker import clerk, connect, keys
from worker.clerk import Clerk, Lock
from worker.duties import Duty
from worker.embedded import Server


def lock(client: "redis.Redis", holder: str = "h.1", *, lasts_ms: int = 15_000) -> Lock:
    return Lock(client, holder, lasts_ms=lasts_ms)


def duties(*steps: Callable[[], None], every: float = 0.0) -> Callable[[], Sequence[Duty]]:
    return lambda: [Duty(f"duty {number}", every, step) for number, step in enumerate(steps)]


def test_one_alone_has_the_lock(log_client: redis.Redis) -> None:
    first, second = lock(log_client, "h.1"), lock(log_client, "h.2")
    assert first.take()
    assert first.take(), "who has it renews it"
    assert not second.take()
    first.let_go()
    eventually(second.take)


def test_who_lost_the_lock_does_nothing_any_more(log_client: redis.Redis) -> None:
    done: list[int] = []
    mine = lock(log_client)
    mine.take()
    working = Clerk(mine, duties(lambda: done.append(1), lambda: done.append(2)))
    working.round()
    assert done == [1, 2]
    log_client.set(keys.CLERK, "somebody else")
    mine.take()
    working.round()
    assert done == [1, 2]


def test_letting_go_of_a_lock_that_was_lost_takes_it_from_nobody(log_client: redis.Redis) -> None:
    mine = lock(log_client)
    mine.take()
    log_client.set(keys.CLERK, "somebody else")
    mine.let_go()
    assert log_client.get(keys.CLERK) == b"somebody else"


def test_a_duty_is_done_again_after_its_time(log_client: redis.Redis) -> None:
    often: list[int] = []
    seldom: list[int] = []
    mine = lock(log_client)
    mine.take()
    both = [Duty("often", 0.0, lambda: often.append(1)), Duty("seldom", 3_600.0, lambda: seldom.append(1))]
    working = Clerk(mine, lambda: both)
    working.round()
    working.round()
    assert (len(often), len(seldom)) == (2, 1)


@pytest.mark.parametrize(
    "trouble",
    [redis.exceptions.ConnectionError("away"), OperationalError("select", {}, Exception("locked")), OSError("disk")],
)
def test_a_server_that_is_away_is_told_of_once_and_tried_again(
    log_client: redis.Redis, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    caplog.set_level(logging.WARNING)
    answers: list[Exception | None] = [trouble, trouble, None]
    others: list[int] = []

    def unsure() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    mine = lock(log_client)
    mine.take()
    working = Clerk(mine, duties(unsure, lambda: others.append(1)))
    for _ in range(3):
        working.round()
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "duty 0 does not work",
        "duty 0 works again",
    ]
    assert len(others) == 3


def test_a_database_that_cannot_be_opened_is_tried_again(log_client: redis.Redis) -> None:
    done: list[int] = []
    answers = [OSError("no disk"), None]

    def prepare() -> Sequence[Duty]:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return [Duty("count", 0.0, lambda: done.append(1))]

    mine = lock(log_client)
    mine.take()
    working = Clerk(mine, prepare)
    working.round()
    assert done == []
    working.round()
    assert done == [1]


def test_a_bug_in_a_duty_ends_the_process(log_process: Server, log_client: redis.Redis) -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Clerk(lock(log_client), duties(wrong)).run()
    eventually(lambda: not log_client.exists(keys.CLERK), what="the lock was let go")


def test_a_clerk_that_is_asked_to_stop_finishes_the_duty_in_hand(log_process: Server, log_client: redis.Redis) -> None:
    def work() -> None:
        client = connect.client(log_process.url, timeout=5.0)

        def slow() -> None:
            client.set("begun", 1)
            eventually(lambda: client.get("finish"))
            client.set("done", 1)

        working = Clerk(Lock(client, "h.1"), duties(slow))
        signal.signal(signal.SIGTERM, lambda *_: working.stop())
        working.run()

    with forked(work) as pid:
        eventually(lambda: log_client.get("begun"))
        os.kill(pid, signal.SIGTERM)
        log_client.set("finish", 1)
        assert exit_code(pid) == 0
    assert log_client.get("done") == b"1"
    eventually(lambda: not log_client.exists(keys.CLERK), what="the lock was let go")


def test_a_duty_that_takes_longer_than_the_lock_lasts_keeps_it(
    log_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk, "RENEW_EVERY", 0.02)
    finish = threading.Event()
    begun = threading.Event()

    def slow() -> None:
        begun.set()
        finish.wait(20)

    working = Clerk(lock(log_client, lasts_ms=200), duties(slow, every=60.0))
    thread = threading.Thread(target=working.run)
    thread.start()
    begun.wait(10)
    left: list[int] = []

    def renewed() -> bool:
        left.append(log_client.pttl(keys.CLERK))
        return left[-1] > min(left) + 10

    eventually(renewed)
    assert not lock(log_client, "h.2").take()
    assert working.busy()[0] == "duty 0"
    working.stop()
    finish.set()
    thread.join(10)
    assert not thread.is_alive()
