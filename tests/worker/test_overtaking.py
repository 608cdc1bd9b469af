"""Live messages go before what can wait, in their own partition and in others; and what can wait comes to its turn."""

from collections.abc import Sequence

import pytest
import redis

from destinations.outcome import Deferred, Outcome
from schemas.envelope import Envelope
from tests.waiting import eventually
from tests.worker.rig import LATER, Line, Scripted, all_delivered, body, in_turn, run
from worker import jobs, keys, lines, scripts
from worker.appending import append_call
from worker.carriage import MOST_ASIDE
from worker.carrying import Load, carry
from worker.courier import Courier
from worker.crew import Crew

PAST = [f"p{number:04d}" for number in range(5 * MOST_ASIDE)]


def carried(client: "redis.Redis", names: Sequence[str], *, way: str = "r5f3a", partition: int = 0) -> None:
    """What travels a second time; what was missed, and dead letters, do so in the same way."""
    line = lines.Line("web", way, "hook")
    cursors = [f"{number:06d}" for number in range(len(names))]
    carry(client, [Load(partition, line, [body(name) for name in names], cursors)])


def posted(line: Line, partition: int, name: str) -> None:
    names, arguments = append_call(line.terms, partition, "web", [keys.digest_of("web", name)], [body(name)])
    run(line.client, scripts.APPEND, names, arguments)


WAYS = pytest.mark.parametrize("way", ["r5f3a", lines.CATCHUP, lines.RETRY])


@WAYS
def test_a_drain_gives_way_before_a_batch_that_can_wait_and_leaves_it_for_another_turn(line: Line, way: str) -> None:
    carried(line.client, PAST, way=way)
    line.post("live")
    hook = Scripted()
    courier = line.courier(hook)
    assert courier.drain(0, "hook", lambda carried: carried >= 0) == "later"
    assert hook.names() == ["live"]
    assert courier.drain(0, "hook", lambda carried: carried >= 1) == "later"
    assert hook.names() == ["live", *PAST[:MOST_ASIDE]], "one batch that it is owed"
    assert courier.drain(0, "hook") == "idle"
    assert hook.names() == ["live", *PAST]


def test_a_drain_with_live_messages_of_its_own_goes_on_with_these(line: Line) -> None:
    carried(line.client, PAST)
    hook = Scripted()

    def others_wait(carried: int) -> bool:
        if len(hook.calls) < 3:
            line.post(f"live{len(hook.calls)}")
        return True

    assert line.courier(hook).drain(0, "hook", others_wait) == "later"
    assert hook.names() == ["live0", "live1", "live2"]


def test_retries_that_are_due_give_way_too(line: Line) -> None:
    line.post("again")
    hook = Scripted(in_turn(lambda batch: [Deferred("no")] * len(batch), all_delivered))
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    for lane in line.aside():
        line.client.zadd(keys.aside(0, "hook"), {lane: 1})
    assert courier.drain(0, "hook", lambda carried: carried >= 0) == "later"
    assert courier.drain(0, "hook") == "idle"
    assert hook.names() == ["again", "again"]


def test_nobody_gives_way_while_finding_out_whether_a_destination_is_back(line: Line) -> None:
    carried(line.client, PAST[:2])
    line.breaker.failed("hook", attempts=0, pause_ms=0, reason="", scope="destination")
    hook = Scripted()
    courier = line.courier(hook)
    eventually(lambda: courier.drain(0, "hook", lambda carried: carried >= 0) != "paused")
    assert hook.names() == PAST[:2]


class Watched:
    """The threads of a worker process, at whose destination a live message comes in after the first batch."""

    def __init__(self, line: Line) -> None:
        self.hook = Scripted(self._answer)
        self._line = line
        self._courier: Courier = line.courier(self.hook)
        self.crew = Crew(self._courier.drain, lambda partition, destination: None)

    def _answer(self, batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if len(self.hook.calls) == 1:
            posted(self._line, 7, "live")
            self.crew.take(7, "hook")
        return all_delivered(batch)


def test_a_live_message_overtakes_a_replay_that_waits_in_all_other_partitions(line: Line) -> None:
    for partition in range(7):
        carried(line.client, [f"p{partition}-{name}" for name in PAST], partition=partition)
    watched = Watched(line)
    for partition in range(7):
        watched.crew.take(partition, "hook", jobs.LATER)
    eventually(lambda: len(watched.hook.names()) == 7 * len(PAST) + 1)
    assert watched.crew.close(within=5) == []
    firsts = [batch[0].head.message_id for batch in watched.hook.calls]
    assert firsts.index("live") <= 2, "one batch was in hand when it came"
    for partition in range(7):
        mine = [name for name in watched.hook.names() if name.startswith(f"p{partition}-")]
        assert mine == [f"p{partition}-{name}" for name in PAST], "in order, nothing twice"
