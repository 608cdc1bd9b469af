"""Messages that fail while others get through: they wait in a lane of their own, and delay nobody else."""

from collections.abc import Sequence

import msgspec
import redis

from destinations.outcome import Deferred, Delivered, Exchange, Outcome, Rejected
from schemas.envelope import Envelope
from tests.waiting import eventually
from tests.worker.rig import LATER, SOON, Line, Scripted, all_delivered, append, body, by_name, in_turn
from worker import keys
from worker.courier import Courier
from worker.retry import RetryPolicy

BUSY = Deferred("answered 500", exchange=Exchange("POST /", "500"))
ONCE = RetryPolicy(first=0.02, factor=1.0, longest=0.02, attempts=2)


def post(line: Line, *names: str, source: str = "web") -> None:
    """One entry; the user of each message is called by its first letter."""
    append(line.client, line.terms, *names, source=source, bodies=[body(name, user=name[0]) for name in names])


def until_quiet(line: Line, courier: Courier) -> None:
    """Drain until nothing is aside, as the sweep would."""
    eventually(lambda: courier.drain(0, "hook") and not line.client.exists(keys.apart(0, "hook")))


def sent_of(hook: Scripted, user: str) -> list[str]:
    return [name for name in hook.names() if name[0] == user]


def test_one_bad_message_delays_no_other_user(line: Line) -> None:
    hook = Scripted(by_name(b1=BUSY))
    post(line, "a1", "b1", "c1")
    courier = line.courier(hook, policy=LATER)
    assert courier.drain(0, "hook") == "idle"
    post(line, "a2", "c2")
    assert courier.drain(0, "hook") == "idle"
    assert line.counts() == {"received": 5, "delivered:hook": 4}
    assert (line.names_aside(), line.pending()) == (["b1"], 0)


def test_later_messages_of_its_user_wait_behind_it_untried_and_come_in_order(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), by_name(b1=BUSY), all_delivered))
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=SOON)
    courier.drain(0, "hook")
    post(line, "b2", "a2")
    post(line, "b3")
    until_quiet(line, courier)
    assert list(dict.fromkeys(sent_of(hook, "b"))) == ["b1", "b2", "b3"]
    assert sent_of(hook, "a") == ["a1", "a2"]
    assert line.counts() == {"received": 5, "delivered:hook": 5}
    assert line.client.keys(f"{keys.tag(0)}:lane:*") == []


def test_a_lane_goes_out_in_one_batch_once_its_head_is_through(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), all_delivered))
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=RetryPolicy(first=0.2, longest=0.2))
    courier.drain(0, "hook")
    post(line, "b2", "b3")
    courier.drain(0, "hook")
    assert line.names_aside() == ["b1", "b2", "b3"]
    until_quiet(line, courier)
    assert [one.head.message_id for one in hook.calls[-1]] == ["b1", "b2", "b3"]


def test_messages_of_the_same_user_from_another_source_do_not_wait(log_client: redis.Redis) -> None:
    line = Line(log_client, sources=("web", "app"))
    hook = Scripted(by_name(b1=BUSY))
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    post(line, "b2", source="app")
    courier.drain(0, "hook")
    assert "b2" in hook.names()
    line.close()


def test_where_order_does_not_matter_nobody_waits_behind_anybody(line: Line) -> None:
    hook = Scripted(by_name(b1=BUSY))
    hook.order = "none"
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    post(line, "b2", "b3")
    courier.drain(0, "hook")
    assert hook.names() == ["a1", "b1", "b2", "b3"]
    assert line.names_aside() == ["b1"]


def test_each_retry_says_which_attempt_it_is_and_keeps_its_position(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), by_name(b1=BUSY), all_delivered))
    post(line, "a1", "b1")
    until_quiet_courier = line.courier(hook, policy=SOON)
    until_quiet_courier.drain(0, "hook")
    until_quiet(line, until_quiet_courier)
    tries = [one for call in hook.calls for one in call if one.head.message_id == "b1"]
    assert [one.attempt for one in tries] == [1, 2, 3]
    assert len({one.position for one in tries}) == 1
    assert {one.lane for one in tries} == {"p00"}


def test_a_message_that_is_refused_in_its_lane_lets_the_next_go(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), by_name(b1=Rejected("no", "400"))))
    post(line, "a1", "b1", "b2")
    courier = line.courier(hook, policy=SOON)
    courier.drain(0, "hook")
    until_quiet(line, courier)
    assert line.counts() == {"received": 3, "delivered:hook": 2, "dead:hook": 1}
    (letter,) = line.letters()
    assert (letter["messageId"], letter["attempts"], letter["code"]) == ("b1", 2, "400")
    assert [failure["reason"] for failure in letter["trail"]] == ["answered 500"]
    assert letter["firstFailedAtMs"] == letter["trail"][0]["atMs"] > 0


def test_an_adapters_mistakes_end_in_a_dead_letter_that_says_where_they_arose(line: Line) -> None:
    def fails(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(one.head.message_id == "b1" for one in batch):
            raise KeyError("hush-hush")
        return all_delivered(batch)

    post(line, "a1", "b1", "c1")
    courier = line.courier(Scripted(fails), policy=ONCE)
    courier.drain(0, "hook")
    until_quiet(line, courier)
    (letter,) = line.letters()
    assert (letter["code"], letter["attempts"], letter["messageId"]) == ("adapter_error", 2, "b1")
    assert letter["reason"].startswith("the adapter raised KeyError at ")
    assert "test_aside.py" in letter["reason"]
    assert "hush-hush" not in msgspec.json.encode(letter).decode()
    assert line.counts()["delivered:hook"] == 2


def test_of_five_hundred_one_at_which_the_adapter_fails_is_found_in_twenty_calls(line: Line) -> None:
    def fails(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(one.head.message_id == "m321" for one in batch):
            raise ValueError
        return all_delivered(batch)

    names = [f"m{number}" for number in range(500)]
    bodies = [body(name, user=name) for name in names]
    append(line.client, line.terms, *names, bodies=bodies)
    hook = Scripted(fails)
    line.courier(hook, policy=LATER).drain(0, "hook")
    assert len(hook.calls) <= 20
    assert (line.names_aside(), line.counts()["delivered:hook"]) == (["m321"], 499)


def test_an_adapter_that_fails_at_everything_is_not_asked_for_ever(line: Line) -> None:
    names = [f"m{number}" for number in range(100)]
    append(line.client, line.terms, *names, bodies=[body(name, user=name) for name in names])
    hook = Scripted(lambda batch: 1 / 0)  # type: ignore[arg-type,return-value]  # what is tested
    courier = line.courier(hook, policy=LATER, stopping=lambda: True)
    assert courier.drain(0, "hook") == "more"
    assert len(hook.calls) == 20
    assert line.counts() == {"received": 100}


def test_while_nothing_is_aside_nobody_looks_there(line: Line) -> None:
    post(line, "a1", "b1")
    line.client.config_resetstat()
    line.courier(Scripted()).drain(0, "hook")
    used = line.client.info("commandstats")
    assert "cmdstat_zmscore" not in used
    assert "cmdstat_zrangebyscore" not in used


def test_when_the_lanes_are_full_the_destination_counts_as_out_and_nothing_is_lost(line: Line) -> None:
    hook = Scripted(lambda batch: [BUSY if one.head.message_id[0] in "bcd" else Delivered() for one in batch])
    post(line, "a1", "b1", "c1")
    courier = line.courier(hook, policy=LATER, most_aside=2)
    courier.drain(0, "hook")
    assert line.names_aside() == ["b1", "c1"]
    post(line, "a2", "d1")
    assert courier.drain(0, "hook") == "paused"
    assert (line.names_aside(), line.pending()) == (["b1", "c1"], 1)
    assert b"no room" in (line.client.hget(keys.out("hook"), "reason") or b"")
    hook.answer = all_delivered
    line.client.delete(keys.out("hook"))
    line.client.zadd(keys.aside(0, "hook"), dict.fromkeys(line.aside(), 1))
    until_quiet(line, courier)
    assert line.counts() == {"received": 5, "delivered:hook": 5}


def test_full_lanes_are_emptied_though_everybody_waits_behind_them(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), all_delivered))
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=SOON, most_aside=1)
    courier.drain(0, "hook")
    post(line, "b2", "b3")
    eventually(lambda: courier.drain(0, "hook") and line.counts()["delivered:hook"] == 4)
    assert sent_of(hook, "b") == ["b1", "b1", "b2", "b3"]


def test_what_happens_aside_is_told(line: Line) -> None:
    hook = Scripted(in_turn(by_name(b1=BUSY), all_delivered))
    post(line, "a1", "b1", "b2")
    courier = line.courier(hook, policy=SOON)
    courier.drain(0, "hook")
    until_quiet(line, courier)
    told = [(part.fate, part.attempt, len(part.positions or ())) for one in line.passages() for part in one.parts]
    assert told[0] == ("delivered", 1, 0)
    assert ("aside", 1, 1) in told
    assert ("delivered", 2, 1) in told
    samples = [part.exchange for one in line.passages() for part in one.parts if part.fate == "aside"]
    assert samples[0] == BUSY.exchange


# lines that are not live


def test_live_messages_go_before_replayed_ones_and_these_in_small_batches(log_client: redis.Redis) -> None:
    replay = "web~r5f3a~hook"
    line = Line(log_client, sources=("app", "web", replay))
    names = [f"r{number}" for number in range(250)]
    append(line.client, line.terms, *names, source=replay)
    line.post("a", source="app")
    line.post("w")
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert [len(call) for call in hook.calls] == [1, 1, 100, 100, 50]
    assert [call[0].source for call in hook.calls[:3]] == ["app", "web", "web"]
    replayed = hook.calls[2][0]
    assert (replayed.replay, replayed.lane) == ("r5f3a", "p00~r5f3a")
    assert (hook.calls[1][0].replay, hook.calls[1][0].lane) == ("", "p00")
    assert line.counts(replay) == {"received": 250, "delivered:hook": 250}
    line.close()


def test_a_dead_letter_that_is_sent_again_counts_with_its_source(log_client: redis.Redis) -> None:
    retry = "web~retry~hook"
    line = Line(log_client, sources=("web", retry))
    append(line.client, line.terms, "a", source=retry)
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert (hook.calls[0][0].lane, hook.calls[0][0].replay) == ("p00~retry", "")
    assert line.counts() == {"delivered:hook": 1}
    line.close()


def test_a_line_of_another_way_waits_behind_the_same_users_messages(log_client: redis.Redis) -> None:
    retry = "web~retry~hook"
    line = Line(log_client, sources=("web", retry))
    hook = Scripted(by_name(b1=BUSY))
    post(line, "a1", "b1")
    courier = line.courier(hook, policy=LATER)
    courier.drain(0, "hook")
    post(line, "b0", source=retry)
    courier.drain(0, "hook")
    assert "b0" not in hook.names()
    assert [seen.line for lane in line.aside() for seen in line.puts(lane)] == ["web", retry]
    line.close()


# canaries


def test_a_canary_arrives_without_bothering_the_adapter(line: Line) -> None:
    line.post("a")
    line.client.xadd(keys.log(0, "web"), {"n": 0, "c": 1_700_000_000_000})
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert hook.names() == ["a"]
    assert line.client.hget(keys.canary("hook"), "web") == b"1700000000000"
    assert (line.pending(), line.waiting()) == (0, False)


def test_a_canary_alone_asks_nothing_of_the_adapter(line: Line) -> None:
    line.post("a")
    hook = Scripted()
    courier = line.courier(hook)
    courier.drain(0, "hook")
    line.client.xadd(keys.log(0, "web"), {"n": 0, "c": 5})
    line.client.zadd(keys.ready(0, "hook"), {"web": 1})
    assert courier.drain(0, "hook") == "idle"
    assert len(hook.calls) == 1
    assert line.client.hget(keys.canary("hook"), "web") == b"5"
