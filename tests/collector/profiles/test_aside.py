"""What takes time is done beside the event loop, and not more of it than there is room for."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from collector.api.errors import Away, TooOften
from collector.profiles import aside
from collector.profiles.aside import MOST_WAITING, Aside
from collector.profiles.desk import Desk
from destinations.profiles.node import Node
from tests.collector.profiles.people import PARTITIONS, Given
from worker.stories.people import Sought, beginning


def test_a_search_runs_in_a_process_of_its_own_and_in_another_when_that_is_killed(given: Given) -> None:
    given.say({"type": "track", "userId": "ann", "event": "E"})
    desk = Desk(given.where())
    sought = Sought(roots=(str(given.archive),), partitions=PARTITIONS, nodes=(Node("user_id", "ann"),))
    stand = beginning(1_700_049_600_000)

    async def search() -> None:
        first = await desk.search(sought, stand, 10)
        assert [one.spoken.called for one in first.found] == ["E"]
        other = await desk._searches.run(os.getpid)
        assert other != os.getpid()
        with pytest.raises(Away):
            await desk._searches.run(os.kill, other, signal.SIGKILL)
        assert await desk.search(sought, stand, 10) == first

    try:
        asyncio.run(search())
    finally:
        desk.close()


def test_more_than_a_few_questions_at_once_are_put_off() -> None:
    gate = Event()
    work = Aside(lambda: ThreadPoolExecutor(1))

    async def many() -> None:
        waiting = [asyncio.ensure_future(work.run(gate.wait, 10)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooOften):
            await work.run(gate.is_set)
        gate.set()
        assert all(await asyncio.gather(*waiting))
        assert await work.run(gate.is_set)

    asyncio.run(many())
    work.close()


def test_nothing_is_started_before_somebody_asks(given: Given) -> None:
    desk = Desk(given.where(), aside.threads, aside.a_process)
    assert desk._lookups._executor is None
    assert desk._searches._executor is None
    desk.close()
