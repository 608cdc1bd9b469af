"""All collectors know the same salts, and nobody keeps those of days that are over."""

import asyncio

import pytest
import redis

from collector.salts import SharedSalts, of_this_process
from tests.waiting import eventually
from worker import connect, keys
from worker.salts import DAY_MS, KEPT_MS

NOBODY = "redis://127.0.0.1:1/0"


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(log_client: redis.Redis) -> Clock:
    """The server's own, for it forgets by that."""
    seconds, _ = log_client.time()
    return Clock(float(seconds))


def test_two_collectors_know_the_same_salts_of_today_and_tomorrow(log_client: redis.Redis, clock: Clock) -> None:
    one, other = SharedSalts(log_client, now=clock), SharedSalts(log_client, now=clock)
    assert [asyncio.run(each.fetch()) for each in (one, other)] == [True, True]
    today = int(clock.now * 1000)
    assert one(today) == other(today) != one(today + DAY_MS)
    assert one(today + DAY_MS) == other(today + DAY_MS)
    assert len(one(today)) == 16


def test_a_salt_of_the_log_is_gone_an_hour_after_its_day(log_client: redis.Redis, clock: Clock) -> None:
    asyncio.run(SharedSalts(log_client, now=clock).fetch())
    found = sorted(key if isinstance(key, str) else key.decode() for key in log_client.keys(keys.salt("*")))
    ends = [log_client.pexpiretime(key) for key in found]
    tomorrow = (int(clock.now * 1000) // DAY_MS + 1) * DAY_MS
    assert ends == [tomorrow + KEPT_MS, tomorrow + DAY_MS + KEPT_MS]


def test_a_day_that_is_over_is_forgotten(log_client: redis.Redis, clock: Clock) -> None:
    salts = SharedSalts(log_client, now=clock)
    asyncio.run(salts.fetch())
    yesterday, tomorrow = int(clock.now * 1000), int(clock.now * 1000) + DAY_MS
    was, is_to_be = salts(yesterday), salts(tomorrow)
    clock.now += 86_400
    asyncio.run(salts.fetch())
    assert (salts(yesterday) == was, salts(tomorrow) == is_to_be) == (False, True)


def test_while_the_log_is_away_a_process_has_its_own(clock: Clock) -> None:
    salts = SharedSalts(connect.client(NOBODY, timeout=0.2), now=clock)
    assert asyncio.run(salts.fetch()) is False
    assert salts(5) == of_this_process(5) != of_this_process(5 + DAY_MS)


def test_they_are_fetched_beside_the_server(log_client: redis.Redis) -> None:
    salts = SharedSalts(log_client)

    async def beside() -> None:
        task = asyncio.create_task(salts.keep_fetching())
        await asyncio.to_thread(eventually, lambda: log_client.keys(keys.salt("*")))
        task.cancel()

    asyncio.run(beside())
