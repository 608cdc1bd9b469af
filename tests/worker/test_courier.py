"""What a courier carries, in which order, and what it does when things go wrong."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
import redis

from destinations.outcome import Deferred, Delivered, Filtered, Outcome, Rejected
from schemas.envelope import Envelope
from tests.waiting import eventually
from tests.worker.rig import LATER, Line, Scripted, all_delivered, always, append, body, by_name, in_turn
from worker import keys
from worker.courier import Pace
from worker.log import Read

OUT = Deferred("503", scope="destination")
NAMES = [f"m{number:02d}" for number in range(30)]


class Storing(Scripted):
    storage: ClassVar[bool] = True


def test_messages_arrive_in_the_order_in_which_they_were_accepted_over_many_drains(line: Line) -> None:
    hook = Scripted()
    courier = line.courier(hook)
    for name in NAMES:
        line.post(name)
        if name.endswith("5"):
            assert courier.drain(0, "hook") == "idle"
    courier.drain(0, "hook")
    assert hook.names() == NAMES
    assert line.counts() == {"received": 30, "delivered:hook": 30}
    assert line.pending() == 0


def test_a_drain_with_nothing_to_do_takes_the_source_off_the_ready_list(line: Line) -> None:
    line.post("a")
    assert line.waiting()
    assert line.courier(Scripted()).drain(0, "hook") == "idle"
    assert not line.waiting()
    assert not line.client.exists(keys.lease(0, "hook"))


def test_a_destination_is_handed_no_more_than_it_wants_at_once(line: Line) -> None:
    hook = Scripted(batch_messages=7)
    line.post_together(*NAMES)
    line.courier(hook).drain(0, "hook")
    assert hook.names() == NAMES
    assert max(map(len, hook.calls)) == 7


def test_an_envelope_says_where_its_message_stands_and_which_attempt_this_is(line: Line) -> None:
    hook = Scripted(in_turn(always(OUT), all_delivered))
    line.post_together("a", "b")
    courier = line.courier(hook)
    courier.drain(0, "hook")
    line.drained(courier)
    first, second = hook.calls
    assert [one.attempt for one in first + second] == [1, 1, 2, 2]
    assert [one.position for one in first] == [one.position for one in second]
    assert [one.position.partition("/")[2] for one in first] == ["0", "1"]
    assert {(one.source, one.lane, one.body) for one in first} == {("web", "p00", body("a")), ("web", "p00", body("b"))}


def test_a_failing_destination_is_left_alone_until_its_pause_is_over(line: Line) -> None:
    hook = Scripted(always(OUT))
    line.post("a")
    courier = line.courier(hook, policy=LATER)
    assert courier.drain(0, "hook") == "paused"
    line.post("b")
    assert courier.drain(0, "hook") == "paused"
    assert hook.names() == ["a"]
    assert line.waiting()


def test_a_destination_that_is_back_gets_everything_in_order(line: Line) -> None:
    hook = Scripted(in_turn(always(OUT), always(OUT), all_delivered))
    line.post(*NAMES)
    courier = line.courier(hook)
    line.drained(courier)
    assert [{one.attempt for one in call} for call in hook.calls] == [{1}, {2}, {3}, {1}]
    assert [len(call) for call in hook.calls] == [30, 10, 10, 20], "a few to find out, then all"
    assert hook.names()[50:] == NAMES[10:]
    assert line.counts()["delivered:hook"] == 30
    assert not line.client.exists(keys.out("hook")), "what is over is forgotten"


def test_nothing_is_tried_before_the_time_that_the_destination_asked_for(line: Line) -> None:
    line.post("a")
    courier = line.courier(Scripted(always(Deferred("429", after=1_000.0, scope="destination"))))
    courier.drain(0, "hook")
    seconds, microseconds = line.client.time()
    until = int(line.client.hget(keys.out("hook"), "until") or 0)
    assert 990 < until / 1000 - (seconds + microseconds / 1e6) <= 1_000
    assert courier.drain(0, "hook") == "paused"


def test_of_a_partly_finished_entry_only_the_rest_is_delivered_again(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b=OUT, d=OUT), all_delivered))
    line.post_together("a", "b", "c", "d")
    courier = line.courier(hook)
    courier.drain(0, "hook")
    assert line.pending() == 1
    line.drained(courier)
    assert [[one.head.message_id for one in call] for call in hook.calls] == [["a", "b", "c", "d"], ["b", "d"]]
    assert [one.position.partition("/")[2] for one in hook.calls[1]] == ["1", "3"]
    assert line.counts()["delivered:hook"] == 4
    assert not line.client.exists(keys.left(0, "web", "hook"))
    assert line.pending() == 0


def test_after_a_failure_later_batches_of_the_same_read_are_not_tried(line: Line) -> None:
    hook = Scripted(in_turn(always(OUT), all_delivered), batch_messages=2)
    line.post_together("a", "b", "c", "d", "e")
    courier = line.courier(hook)
    courier.drain(0, "hook")
    assert hook.names() == ["a", "b"]
    line.drained(courier)
    assert hook.names() == ["a", "b", "a", "b", "c", "d", "e"]


def test_what_an_owner_that_died_had_in_hand_comes_first(line: Line) -> None:
    line.post("a", "b")
    dead = line.lease("dead")
    assert [entry.lines for entry in line.log.fresh(dead, "web", 10).entries] == [[body("a")], [body("b")]]
    line.post("c")
    assert line.log.disown(0, ["hook"], "dead") == 1
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert hook.names() == ["a", "b", "c"]
    assert line.pending() == 0


def test_while_somebody_else_works_a_courier_leaves_at_once(line: Line) -> None:
    line.post("a")
    line.lease("other")
    hook = Scripted()
    assert line.courier(hook).drain(0, "hook") == "held"
    assert hook.calls == []


def test_an_unknown_destination_is_nobodys_work(line: Line) -> None:
    assert line.courier(Scripted()).drain(0, "elsewhere") == "unknown"
    assert line.client.keys("*") == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda batch: 1 / 0, "the adapter raised ZeroDivisionError at "),
        (lambda batch: [], "the adapter gave 0 outcomes for 1 messages"),
        (lambda batch: [Delivered()] * 3, "the adapter gave 3 outcomes for 1 messages"),
        (lambda batch: None, "the adapter raised TypeError at "),
        (lambda batch: [None], "the adapter gave something else than an outcome"),
        (lambda batch: [True], "the adapter gave something else than an outcome"),
    ],
)
def test_a_bug_in_an_adapter_loses_nothing(
    line: Line, answer: Callable[[Sequence[Envelope]], Sequence[Outcome]], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    hook = Scripted(in_turn(answer, all_delivered))
    line.post("a")
    courier = line.courier(hook, policy=LATER)
    assert courier.drain(0, "hook") == "idle"
    assert (line.names_aside(), line.counts()) == (["a"], {"received": 1})
    (passage,) = line.passages()
    assert passage.parts[0].fate == "aside"
    assert passage.parts[0].reason.startswith(reason)
    line.client.zadd(keys.aside(0, "hook"), dict.fromkeys(line.aside(), 1))
    eventually(lambda: courier.drain(0, "hook") and line.counts().get("delivered:hook"))
    assert hook.names() == ["a", "a"]


def test_outcomes_may_come_from_a_generator(line: Line) -> None:
    line.post("a", "b")
    hook = Scripted(lambda batch: (Delivered() for _ in batch))  # type: ignore[arg-type,return-value]  # a lenient adapter
    line.courier(hook).drain(0, "hook")
    assert line.counts()["delivered:hook"] == 2


def test_a_rejected_message_becomes_a_dead_letter_and_holds_nobody_up(line: Line) -> None:
    hook = Scripted(by_name(b=Rejected("no such list", "404")))
    line.post("a", "b", "c")
    line.courier(hook).drain(0, "hook")
    assert hook.names() == ["a", "b", "c"]
    assert [(letter["messageId"], letter["reason"], letter["code"]) for letter in line.letters()] == [
        ("b", "no such list", "404")
    ]
    assert line.counts() == {"received": 3, "delivered:hook": 2, "dead:hook": 1}


def test_a_message_that_is_not_for_a_destination_is_counted_and_never_shown_to_it(line: Line) -> None:
    bodies = [body("a"), body("b", integrations={"hook": False}), body("c", integrations={"All": False})]
    append(line.client, line.terms, "a", "b", "c", bodies=bodies)
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert hook.names() == ["a"]
    assert line.counts() == {"received": 3, "delivered:hook": 1, "filtered:hook": 2}


def test_what_the_destination_itself_filters_is_counted_the_same(line: Line) -> None:
    line.post("a", "b")
    line.courier(Scripted(by_name(a=Filtered("not an order")))).drain(0, "hook")
    assert line.counts() == {"received": 2, "delivered:hook": 1, "filtered:hook": 1}


def test_storage_sees_every_message(line: Line) -> None:
    append(line.client, line.terms, "a", bodies=[body("a", integrations={"All": False})])
    archive = Storing()
    line.courier(archive).drain(0, "hook")
    assert archive.names() == ["a"]


def test_a_source_with_much_to_say_does_not_keep_others_waiting(log_client: redis.Redis) -> None:
    line = Line(log_client, sources=("busy", "quiet"))
    line.post(*NAMES, source="busy")
    line.post("q", source="quiet")
    hook = Scripted(batch_messages=5)
    line.courier(hook).drain(0, "hook")
    assert [envelope.source for call in hook.calls for envelope in call].index("quiet") == 5
    assert sorted(hook.names()) == sorted([*NAMES, "q"])
    line.close()


def test_a_source_whose_stream_is_gone_holds_nobody_up(log_client: redis.Redis) -> None:
    line = Line(log_client, sources=("gone", "web"))
    line.post("a", source="gone")
    line.post("b")
    log_client.delete(keys.log(0, "gone"))
    hook = Scripted()
    assert line.courier(hook).drain(0, "hook") == "idle"
    assert hook.names() == ["b"]
    assert not line.waiting("gone")
    line.close()


def test_when_the_budget_is_used_up_the_drain_asks_for_another(line: Line) -> None:
    line.post(*NAMES)
    hook = Scripted(batch_messages=10)
    courier = line.courier(hook, pace=Pace(budget=0.0))
    assert courier.drain(0, "hook") == "more"
    assert not line.client.exists(keys.lease(0, "hook")), "others may go on"
    while courier.drain(0, "hook") == "more":
        pass
    assert hook.names() == NAMES


def test_the_budget_counts_between_sources_too(log_client: redis.Redis) -> None:
    line = Line(log_client, sources=("a", "b", "c", "d"))
    for source in "abcd":
        line.post(f"of-{source}", source=source)
    hook = Scripted()
    assert line.courier(hook, pace=Pace(budget=0.0)).drain(0, "hook") == "more"
    assert hook.names() == ["of-a"]
    line.close()


def test_a_worker_that_is_asked_to_stop_ends_after_the_batch_in_hand(line: Line) -> None:
    line.post(*NAMES)
    hook = Scripted(batch_messages=5)
    courier = line.courier(hook, stopping=lambda: bool(hook.calls))
    assert courier.drain(0, "hook") == "more"
    assert hook.names() == NAMES[:5]
    assert line.counts()["delivered:hook"] == 5


def test_nothing_is_sent_after_the_time_for_a_delivery_is_over(line: Line) -> None:
    hook = Scripted(batch_messages=1)
    line.post_together("a", "b", "c")
    courier = line.courier(hook, pace=Pace(budget=0.0, delivery=0.0))
    assert courier.drain(0, "hook") == "more"
    assert hook.names() == []
    assert line.counts() == {"received": 3}
    assert not line.client.exists(keys.out("hook")), "what was not tried is no failure"


def test_the_lease_is_kept_while_a_destination_takes_its_time(log_client: redis.Redis) -> None:
    line = Line(log_client, lease_ms=150)

    def slowly(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        begun = time.monotonic()
        assert eventually(lambda: time.monotonic() - begun > 0.6)
        return all_delivered(batch)

    line.post("a")
    hook = Scripted(slowly)
    assert line.courier(hook, keep_every=0.03).drain(0, "hook") == "idle"
    assert line.counts()["delivered:hook"] == 1
    line.close()


def test_an_owner_that_lost_its_lease_writes_nothing_down(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    def too_late(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        line.log.disown(0, ["hook"], "slow")
        return all_delivered(batch)

    line.post("a")
    slow, quick = Scripted(too_late), Scripted()
    assert line.courier(slow, owner="slow").drain(0, "hook") == "lost"
    assert (line.counts(), line.pending()) == ({"received": 1}, 1)
    assert line.courier(quick).drain(0, "hook") == "idle"
    assert quick.names() == ["a"]
    assert line.counts()["delivered:hook"] == 1, "repeated, and counted once"


def test_an_owner_that_lost_its_lease_takes_nothing_from_its_successor(line: Line) -> None:
    """The successor looks at what is pending once: nothing may become pending behind its back."""
    line.post("a", "b")
    late = line.lease("late")
    line.log.disown(0, ["hook"], "late")

    def meanwhile(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        assert line.log.fresh(late, "web", 1) == Read()
        assert line.log.pending(late, "web", 1) == Read()
        return all_delivered(batch)

    hook = Scripted(meanwhile, batch_messages=1)
    assert line.courier(hook).drain(0, "hook") == "idle"
    assert hook.names() == ["a", "b"]


def test_a_message_that_comes_during_the_last_look_is_not_forgotten(line: Line) -> None:
    def one_more(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if len(hook.calls) < 5:
            line.post(f"m{len(hook.calls)}")
        return all_delivered(batch)

    hook = Scripted(one_more)
    line.post("m0")
    assert line.courier(hook).drain(0, "hook") == "idle"
    assert hook.names() == ["m0", "m1", "m2", "m3", "m4"]


def test_an_entry_that_was_trimmed_while_pending_is_put_aside(line: Line) -> None:
    ids = line.post("a", "b")
    assert ids == [1, 1]
    dead = line.lease("dead")
    assert len(line.log.fresh(dead, "web", 1).entries) == 1
    line.client.xtrim(keys.log(0, "web"), maxlen=1, approximate=False)
    line.log.disown(0, ["hook"], "dead")
    hook = Scripted()
    assert line.courier(hook).drain(0, "hook") == "idle"
    assert hook.names() == ["b"]
    assert line.pending() == 0


def test_a_message_older_than_the_horizon_that_still_fails_becomes_a_dead_letter(line: Line) -> None:
    stream = keys.log(0, "web")
    line.post("new")
    line.client.delete(stream)
    line.client.xadd(stream, {"n": 1, "m": body("old")}, id="1000-0")
    line.client.xgroup_create(stream, "hook", "0")
    line.courier(Scripted(always(OUT))).drain(0, "hook")
    assert [(letter["messageId"], letter["code"], letter["reason"]) for letter in line.letters()] == [
        ("old", "expired", "503")
    ]
    assert line.pending() == 0


def test_what_an_adapter_says_when_it_raises_is_not_logged(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Its words may quote a secret, or a message."""

    def raises(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        raise ValueError("bad token hush-hush")

    line.post("a")
    line.courier(Scripted(raises)).drain(0, "hook")
    assert "the adapter raised ValueError" in caplog.text
    assert "hush-hush" not in caplog.text
