"""What is carried to a line is there once, in order, and can be taken away again."""

from typing import cast

import redis

from destinations.outcome import Deferred
from tests.worker.rig import Line as Rig
from tests.worker.rig import Scripted, append, body, by_name, terms
from worker import keys
from worker.carrying import Load, carry, drop
from worker.lines import Line

REPLAY = Line("web", "r5f3a", "hook")
CATCHUP = Line("web", "catchup", "hook")


def load(*names: str, line: Line = REPLAY, first: int = 0, counted: str = "received") -> Load:
    cursors = [f"{number:06d}" for number in range(first, first + len(names))]
    return Load(0, line, [body(name) for name in names], cursors, counted)


def there(client: redis.Redis, line: Line = REPLAY) -> list[bytes]:
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.log(0, line.name)))
    return [one for _, fields in found for one in fields[b"m"].split(b"\n")]


def test_carried_messages_wait_in_a_line_of_their_own(log_client: redis.Redis) -> None:
    assert carry(log_client, [load("a", "b")]) == [(0, "hook")]
    assert there(log_client) == [body("a"), body("b")]
    assert log_client.smembers(keys.lines(0)) == {b"web~r5f3a~hook"}
    assert log_client.zscore(keys.ready(0, "hook"), "web~r5f3a~hook")
    assert log_client.hgetall(keys.count(0, "web~r5f3a~hook")) == {b"received": b"2"}
    assert not log_client.exists(keys.count(0, "web"))


def test_the_destination_is_nudged_once(log_client: redis.Redis) -> None:
    assert carry(log_client, [load("a")]) == [(0, "hook")]
    assert carry(log_client, [load("b", first=1)]) == []


def test_what_is_carried_keeps_no_nudge_for_live_messages_from_being_sent(log_client: redis.Redis) -> None:
    carry(log_client, [load("a")])
    assert append(log_client, terms("hook"), "live")[2:] == [1]


def test_messages_that_are_there_are_not_carried_again(log_client: redis.Redis) -> None:
    carry(log_client, [load("a", "b")])
    carry(log_client, [load("a", "b", "c")])
    carry(log_client, [load("b", first=1)])
    carry(log_client, [load("b", "c", "d", first=1)])
    assert there(log_client) == [body(name) for name in "abcd"]
    assert log_client.hget(keys.count(0, REPLAY.name), "received") == b"4"


def test_a_call_of_many_packs_that_was_cut_goes_on_where_it_was(log_client: redis.Redis) -> None:
    names = [f"m{number}" for number in range(350)]
    carry(log_client, [load(*names[:130])])
    carry(log_client, [load(*names)])
    assert there(log_client) == [body(name) for name in names]


def test_what_was_counted_as_received_before_is_not_counted_again(log_client: redis.Redis) -> None:
    carry(log_client, [load("a", line=CATCHUP, counted="")])
    assert there(log_client, CATCHUP) == [body("a")]
    assert not log_client.exists(keys.count(0, "web"))


def test_lines_of_several_partitions_travel_in_one_call(log_client: redis.Redis) -> None:
    other = Load(1, REPLAY, [body("b")], ["000001"])
    assert carry(log_client, [load("a"), other]) == [(0, "hook"), (1, "hook")]


def test_a_line_is_taken_away_with_what_waits_in_it(log_client: redis.Redis) -> None:
    carry(log_client, [load("a", "b", "c")])
    gone = drop(log_client, 0, REPLAY)
    assert (gone.messages, gone.in_hand) == (3, 0)
    assert not log_client.exists(keys.log(0, REPLAY.name), keys.lines(0), keys.ready(0, "hook"))
    assert log_client.hgetall(keys.count(0, REPLAY.name)) == {b"received": b"3", b"base:hook": b"3"}


def test_nothing_is_carried_to_a_line_that_was_taken_away(log_client: redis.Redis) -> None:
    carry(log_client, [load("a")])
    drop(log_client, 0, REPLAY)
    assert carry(log_client, [load("b", first=1)]) == []
    assert not log_client.exists(keys.log(0, REPLAY.name))


def test_a_line_that_never_was_can_be_taken_away(log_client: redis.Redis) -> None:
    assert drop(log_client, 0, REPLAY).messages == 0
    assert carry(log_client, [load("a")]) == []


def test_what_a_courier_has_in_hand_is_left_to_it(line: Rig) -> None:
    carry(line.client, [load(*[f"m{number}" for number in range(100)]), load("b", "c", first=100)])
    lease = line.lease()
    assert len(line.log.fresh(lease, REPLAY.name, 1).entries) == 1
    gone = drop(line.client, 0, REPLAY)
    assert (gone.messages, gone.in_hand) == (2, 1)
    line.log.release_anyway(lease)
    gone = drop(line.client, 0, REPLAY)
    assert (gone.messages, gone.in_hand) == (100, 0)
    assert line.counts(REPLAY.name) == {"received": 102, "base:hook": 102}


def test_of_an_entry_that_is_finished_in_part_only_the_rest_is_dropped(line: Rig) -> None:
    carry(line.client, [load("a", "b", "c")])
    lease = line.lease()
    [entry] = line.log.fresh(lease, REPLAY.name, 1).entries
    line.client.hset(keys.left(0, REPLAY.name, "hook"), entry.id, "1,2")
    line.client.hincrby(keys.count(0, REPLAY.name), "delivered:hook", 1)
    line.log.release_anyway(lease)
    assert drop(line.client, 0, REPLAY).messages == 2
    assert not line.client.exists(keys.left(0, REPLAY.name, "hook"))


def test_what_waits_aside_for_a_retry_is_dropped_too_and_nothing_else_is(line: Rig) -> None:
    carry(line.client, [load("a", "b", "c", "d")])
    line.post("live")
    hook = Scripted(by_name(b=Deferred("no", 600.0), live=Deferred("no", 600.0)))
    line.drained(line.courier(hook))
    assert line.client.get(keys.apart(0, "hook")) == b"5"
    gone = drop(line.client, 0, REPLAY)
    assert (gone.messages, gone.in_hand) == (4, 0)
    assert line.counts(REPLAY.name) == {"received": 4, "base:hook": 4}
    assert line.client.get(keys.apart(0, "hook")) == b"1"
    [lane] = cast("list[bytes]", line.client.zrange(keys.aside(0, "hook"), 0, -1))
    assert line.client.llen(keys.lane_of(0, "hook", lane.decode())) == 1


def test_a_server_that_forgot_the_scripts_learns_them_again(log_client: redis.Redis) -> None:
    log_client.script_flush()
    carry(log_client, [load("a")])
    assert there(log_client) == [body("a")]
