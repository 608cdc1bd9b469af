"""What each script does to the log, and what it leaves alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis

from tests.worker.rig import Line, append, body, run, server_ms, terms
from worker import connect, keys, scripts
from worker.embedded import Server, log_server
from worker.log import Held, Lease, Log, Read, Taken
from worker.parcel import Put
from worker.settle import Aside, Rest, Settlement
from worker.verdict import GoOn

BOTH = terms("archive", "hook")
STREAM = keys.log(0, "web")
AGAIN_MS, ARMED_MS = 1_000, 5_000
ONE = (("web", "delivered", 1),)
PUT = msgspec.json.encode(Put("5-0/0", "web", 5, msgspec.Raw(body("x"))))


def bodies_in(client: "redis.Redis", stream: str = STREAM) -> list[bytes]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(stream))
    return [line for _, fields in entries for line in fields[b"m"].split(b"\n")]


def everything(client: "redis.Redis") -> dict[bytes, object]:
    return {name: client.dump(name) for name in sorted(cast("list[bytes]", client.keys("*")))}


def groups(client: "redis.Redis") -> dict[str, str]:
    found = cast("list[dict[str, bytes]]", client.xinfo_groups(STREAM))
    return {group["name"].decode(): group["last-delivered-id"].decode() for group in found}


def attach(client: "redis.Redis", *names: str) -> None:
    Log(client, lease_ms=1).attach(0, "web", names)


def sweep(client: "redis.Redis", *names: str, lease_ms: int = 10_000) -> list[str]:
    return Log(client, lease_ms=lease_ms).sweep(0, names or ("hook",), again_ms=AGAIN_MS, armed_ms=ARMED_MS)


# append


def test_appending_stores_counts_and_asks_for_nudges(log_client: redis.Redis) -> None:
    assert append(log_client, BOTH, "a", "b") == [2, 0, 1, 2]
    assert bodies_in(log_client) == [body("a"), body("b")]
    assert log_client.hgetall(keys.count(0, "web")) == {b"received": b"2"}
    for name in ("archive", "hook"):
        assert log_client.zrange(keys.ready(0, name), 0, -1) == [b"web"]


def test_a_second_nudge_is_not_asked_for_while_the_first_is_on_its_way(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a")
    assert append(log_client, BOTH, "b") == [1, 0]
    log_client.delete(keys.armed(0, "hook"))
    assert append(log_client, BOTH, "c") == [1, 0, 2]


def test_a_message_that_was_seen_is_dropped_and_counted(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a", "b")
    assert append(log_client, BOTH, "b", "c", "a")[:2] == [1, 2]
    assert bodies_in(log_client) == [body("a"), body("b"), body("c")]
    assert log_client.hgetall(keys.count(0, "web")) == {b"received": b"3", b"duplicates": b"2"}


def test_of_the_same_id_twice_in_one_call_the_first_message_counts(log_client: redis.Redis) -> None:
    first, second = body("a", user="first"), body("a", user="second")
    assert append(log_client, BOTH, "a", "b", "a", bodies=[first, body("b"), second])[:2] == [2, 1]
    assert bodies_in(log_client) == [first, body("b")]


def test_nothing_but_repeats_wakes_nobody(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a")
    log_client.delete(keys.armed(0, "hook"), keys.ready(0, "hook"))
    assert append(log_client, BOTH, "a") == [0, 1]
    assert not log_client.exists(keys.ready(0, "hook"))


def test_a_large_call_finds_its_repeats_across_slices_and_entries(log_client: redis.Redis) -> None:
    names = [f"m{number}" for number in range(2_500)]
    assert append(log_client, BOTH, *names, *names[:1_500])[:2] == [2_500, 1_500]
    assert bodies_in(log_client) == [body(name) for name in names]


def test_the_same_id_of_another_source_is_another_message(log_client: redis.Redis) -> None:
    about = terms("hook", sources=("web", "app"))
    append(log_client, about, "a", source="web")
    assert append(log_client, about, "a", source="app")[:2] == [1, 0]


def since(client: "redis.Redis") -> dict[bytes, bytes]:
    return cast("dict[bytes, bytes]", client.hgetall(keys.seen_since(0)))


def age_window(client: "redis.Redis", milliseconds: int) -> None:
    """As if the window had been begun earlier."""
    client.hincrby(keys.seen_since(0), "new", -milliseconds)


def test_an_id_is_remembered_for_a_window_at_least_and_two_at_most(log_client: redis.Redis) -> None:
    hour = terms("hook", window_ms=3_600_000)
    append(log_client, hour, "a")
    age_window(log_client, 3_600_000)
    assert append(log_client, hour, "a", "b")[:2] == [1, 1], "known from the set before"
    assert since(log_client)[b"full"] == b"0"
    age_window(log_client, 3_600_000)
    assert append(log_client, hour, "a", "b")[:2] == [1, 1], "a is forgotten, b is not"


def test_a_full_set_is_rotated_early_and_says_so(log_client: redis.Redis) -> None:
    few = terms("hook", most=4)
    append(log_client, few, "a", "b")
    assert append(log_client, few, "c")[:2] == [1, 0]
    assert since(log_client)[b"full"] == b"1"
    assert append(log_client, few, "a", "b", "c")[:2] == [0, 3], "both sets count"
    append(log_client, few, "d")
    assert append(log_client, few, "e")[:2] == [1, 0]
    assert append(log_client, few, "a")[:2] == [1, 0], "two rotations later it is forgotten"
    held = [log_client.scard(name) for name in (keys.seen_new(0), keys.seen_old(0))]
    assert held == [2, 2], "never more than was asked for"


# a destination that comes later


def test_the_first_message_of_a_source_is_for_all_its_destinations(log_client: redis.Redis) -> None:
    attach(log_client, "archive", "hook")
    append(log_client, BOTH, "a")
    assert groups(log_client) == {"archive": "0-0", "hook": "0-0"}


def test_a_destination_that_comes_later_starts_at_the_end(log_client: redis.Redis) -> None:
    append(log_client, terms("archive"), "a", "b")
    attach(log_client, "archive", "hook")
    append(log_client, BOTH, "c")
    log = Log(log_client, lease_ms=10_000)
    lease = log.acquire(0, "hook", "w")
    assert isinstance(lease, Lease)
    assert [entry.lines for entry in log.fresh(lease, "web", 10).entries] == [[body("c")]]
    assert log_client.hget(keys.count(0, "web"), "base:hook") == b"2"
    assert not log_client.hexists(keys.count(0, "web"), "base:archive")


def test_attaching_again_changes_nothing(log_client: redis.Redis) -> None:
    append(log_client, terms("archive"), "a")
    attach(log_client, "archive", "hook")
    append(log_client, BOTH, "b")
    before = everything(log_client)
    attach(log_client, "archive", "hook")
    assert everything(log_client) == before


# leases


def test_one_drain_at_a_time_holds_the_lease_and_each_gets_a_newer_token(line: Line) -> None:
    first = line.lease("w1")
    assert line.log.acquire(0, "hook", "w2") == Held()
    assert line.log.release(first) == "idle"
    second = line.lease("w2")
    assert int(second.token.partition(":")[0]) > int(first.token.partition(":")[0])


def test_taking_the_lease_takes_up_the_nudges(line: Line) -> None:
    line.post("a")
    line.client.set(keys.later(0, "hook"), server_ms())
    assert line.client.exists(keys.armed(0, "hook"))
    line.lease()
    assert not line.client.exists(keys.armed(0, "hook"), keys.later(0, "hook"))


def test_a_lease_runs_out_by_itself(line: Line) -> None:
    line.lease()
    left = line.client.pttl(keys.lease(0, "hook"))
    assert 0 < left <= 10_000


def test_an_old_token_renews_commits_and_releases_nothing(line: Line) -> None:
    line.post("a")
    old = line.lease("old")
    entry = line.log.fresh(old, "web", 1).entries[0]
    line.log.disown(0, ["hook"], "old")
    line.lease("new")
    before = everything(line.client)
    assert not line.log.renew(old)
    assert not line.log.commit(
        old, "web", Settlement(finished=(entry.id,), counts=ONE, letters=(b"{}",), asides=(Aside("u", 9, b"{}"),))
    )
    assert not line.log.idle(old, "web")
    assert (line.log.release(old), line.log.release_anyway(old)) == ("lost", "lost")
    assert (line.log.fresh(old, "web", 9), line.log.pending(old, "web", 9)) == (Read(), Read())
    assert (line.log.lanes(old, most_lanes=9, most=9), line.log.hold(old, "web", "m")) == (Taken(), -1)
    assert everything(line.client) == before


def test_a_lease_is_not_given_back_while_work_is_due(line: Line) -> None:
    lease = line.lease()
    line.post("a")
    assert line.log.release(lease) == "kept"
    assert line.log.renew(lease)
    assert line.log.release_anyway(lease) == "more"


def test_a_lease_is_given_back_to_let_others_go_first_unless_live_messages_are_due(line: Line) -> None:
    lease = line.lease()
    line.client.zadd(keys.ready(0, "hook"), {"web~r5f3a~hook": 1})
    assert line.log.release(lease) == "kept"
    line.post("a")
    assert line.log.give_way(lease) == "kept"
    line.client.zrem(keys.ready(0, "hook"), "web")
    assert line.log.give_way(lease) == "later"
    assert line.log.give_way(lease) == "lost"


def test_a_source_with_something_new_stays_on_the_ready_list(line: Line) -> None:
    line.post("a")
    lease = line.lease()
    assert line.log.idle(lease, "web")
    assert line.waiting(), "not read yet"
    entry = line.log.fresh(lease, "web", 1).entries[0]
    line.log.idle(lease, "web")
    assert line.waiting(), "read, and not finished"
    line.log.commit(lease, "web", Settlement(finished=(entry.id,), counts=ONE))
    line.log.idle(lease, "web")
    assert not line.waiting()


def test_only_the_leases_of_the_dead_are_freed(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    for name, owner in (("a", "host.12"), ("b", "host.112"), ("c", "host.1"), ("d", "host.12")):
        log.acquire(0, name, owner)
    assert log.disown(0, ["a", "b", "c", "d"], "host.12") == 2
    assert [log_client.exists(keys.lease(0, name)) for name in "abcd"] == [0, 1, 1, 0]


# retry lanes


def put(name: str, **known: Any) -> bytes:
    return msgspec.json.encode(Put("5-0/0", "web", 5, msgspec.Raw(body(name)), **known))


def put_aside(line: Line, lease: Lease, *asides: tuple[str, int, str]) -> Lease:
    """Lane, wait in ms, name of the message."""
    made = tuple(Aside(lane, wait_ms, put(name)) for lane, wait_ms, name in asides)
    found = line.log.commit(lease, "web", Settlement(asides=made))
    assert found is not None
    return found


def names_in(taken: Taken) -> list[str]:
    return [parcel.envelope.head.message_id for parcel in taken.parcels]


def test_what_steps_aside_waits_in_lanes_and_is_counted(line: Line) -> None:
    lease = put_aside(line, line.lease(), ("u", 60_000, "a"), ("u", -1, "b"), ("v", 0, "c"))
    assert lease.aside == 3
    assert line.aside() == {"u": ["a", "b"], "v": ["c"]}
    assert names_in(line.log.lanes(lease, most_lanes=9, most=9)) == ["c"], "only what is due"
    assert line.log.occupied(lease, ["u", "v", "w"]) == {"u", "v"}
    line.log.release_anyway(lease)
    assert line.lease().aside == 3


def test_a_lane_is_given_out_in_order_and_cut_where_enough_is_taken(line: Line) -> None:
    lease = put_aside(line, line.lease(), ("u", 0, "a"), ("u", -1, "b"), ("u", -1, "c"))
    lease = put_aside(line, lease, ("v", 0, "d"), ("w", 0, "e"))
    assert names_in(line.log.lanes(lease, most_lanes=9, most=2)) == ["a", "b"]
    assert names_in(line.log.lanes(lease, most_lanes=2, most=9)) == ["a", "b", "c", "d"]


def test_a_rewritten_lane_keeps_what_was_not_taken(line: Line) -> None:
    lease = put_aside(line, line.lease(), ("u", 0, "a"), ("u", -1, "b"), ("u", -1, "c"))
    after = line.log.commit(lease, "~", Settlement(rests=(Rest("u", 2, 60_000, (put("b", attempts=1),)),)))
    assert after is not None
    assert after.aside == 2
    assert [(seen.message_id, seen.attempts) for seen in line.puts("u")] == [("b", 1), ("c", 0)]
    assert names_in(line.log.lanes(lease, most_lanes=9, most=9)) == [], "it waits"


def test_an_empty_lane_leaves_nothing_behind(line: Line) -> None:
    line.client.flushall()
    before = set(cast("list[bytes]", line.client.keys("*")))
    lease = put_aside(line, line.lease(), ("u", 0, "a"))
    after = line.log.commit(lease, "~", Settlement(rests=(Rest("u", 1, 0, ()),)))
    assert after is not None
    assert after.aside == 0
    line.log.release_anyway(after)
    assert set(cast("list[bytes]", line.client.keys("*"))) - before == {keys.fence(0, "hook").encode()}


def test_a_due_lane_is_work_and_one_that_is_due_later_becomes_work(line: Line) -> None:
    lease = put_aside(line, line.lease(), ("u", 60_000, "a"))
    assert line.log.release(lease) == "idle"
    assert sweep(line.client) == []
    line.client.zadd(keys.aside(0, "hook"), {"u": server_ms() - 1})
    assert sweep(line.client) == ["hook"]
    lease = line.lease()
    assert line.log.release(lease) == "kept"
    assert line.log.release_anyway(lease) == "later", "it has waited already"


# who died over what


def test_reads_that_nothing_came_of_are_counted_until_a_commit(line: Line) -> None:
    line.post("a")
    deaths = []
    for number in range(4):
        lease = line.lease(f"w{number}")
        read = line.log.pending(lease, "web", 1)
        deaths.append((read if read.entries else line.log.fresh(lease, "web", 1)).deaths)
        line.client.delete(keys.lease(0, "hook"))
    assert deaths == [0, 1, 2, 3]
    lease = line.lease()
    line.log.pending(lease, "web", 1)
    line.log.commit(lease, "web", Settlement(suspected=True))
    assert line.log.pending(lease, "web", 1).deaths == 5, "what is under suspicion stays so"
    line.log.commit(lease, "web", Settlement())
    assert line.log.pending(lease, "web", 1).deaths == 0


def test_once_nothing_is_pending_nobody_is_suspected(line: Line) -> None:
    line.post("a")
    lease = line.lease()
    entry = line.log.fresh(lease, "web", 1).entries[0]
    line.log.commit(lease, "web", Settlement(finished=(entry.id,), suspected=True))
    assert line.log.pending(lease, "web", 1) == Read()
    assert not line.client.exists(keys.hand(0, "hook"))


def test_a_message_in_hand_is_counted_until_another_is(line: Line) -> None:
    lease = line.lease()
    assert [line.log.hold(lease, "web", name) for name in "aaabb"] == [0, 1, 2, 0, 1]


# the sweep


def test_what_is_due_and_nobodys_is_nudged_once(line: Line) -> None:
    line.post("a")
    line.client.delete(keys.armed(0, "hook"))
    assert sweep(line.client) == ["hook"]
    assert sweep(line.client) == [], "the nudge is on its way"


def test_a_nudge_that_got_lost_is_repeated(line: Line) -> None:
    line.post("a")
    line.client.set(keys.armed(0, "hook"), server_ms() - AGAIN_MS - 1)
    assert sweep(line.client) == ["hook"]


def test_a_nudge_for_what_can_wait_neither_holds_back_nor_repeats_one_for_live_messages(line: Line) -> None:
    line.client.zadd(keys.ready(0, "hook"), {"web~r5f3a~hook": server_ms()})
    assert sweep(line.client) == ["hook"]
    assert sweep(line.client) == []
    line.post("a")
    assert sweep(line.client) == [], "that nudge is on its way"
    line.client.delete(keys.armed(0, "hook"))
    assert sweep(line.client) == ["hook"]


def test_nobody_is_nudged_without_work_or_during_a_drain(line: Line) -> None:
    assert sweep(line.client) == []
    line.post("a")
    line.client.delete(keys.armed(0, "hook"))
    line.lease()
    assert sweep(line.client) == []


def test_the_sweep_names_the_right_destinations_of_many(log_client: redis.Redis) -> None:
    append(log_client, terms("b", "d"), "a")
    log_client.delete(keys.armed(0, "b"), keys.armed(0, "d"))
    assert sweep(log_client, "a", "b", "c", "d") == ["b", "d"]


def test_a_lease_from_before_the_clock_went_back_does_not_last(line: Line) -> None:
    line.post("a")
    line.lease()
    line.client.delete(keys.armed(0, "hook"))
    line.client.pexpire(keys.lease(0, "hook"), 3_600_000)
    assert sweep(line.client) == ["hook"]
    assert not line.client.exists(keys.lease(0, "hook"))


def test_a_nudge_from_before_the_clock_went_back_is_repeated(line: Line) -> None:
    line.post("a")
    line.client.set(keys.armed(0, "hook"), server_ms() + 3_600_000)
    assert sweep(line.client) == ["hook"]


def test_work_from_before_the_clock_went_back_is_due(line: Line) -> None:
    line.post("a")
    line.client.delete(keys.armed(0, "hook"))
    line.client.zadd(keys.ready(0, "hook"), {"web": server_ms() + 3_600_000})
    assert sweep(line.client) == ["hook"]
    assert line.log.release(line.lease()) == "kept"


# trimming


def test_trimming_drops_what_every_group_has_finished_with(log_client: redis.Redis) -> None:
    for name in ("a", "b", "c", "d"):
        append(log_client, BOTH, name)
    log = Log(log_client, lease_ms=10_000)
    assert log.trim(0, "web", ("archive", "hook")) == 0
    for name, finished, read in (("archive", 3, 3), ("hook", 1, 2)):
        lease = log.acquire(0, name, "w")
        assert isinstance(lease, Lease)
        entries = log.fresh(lease, "web", read).entries
        log.commit(lease, "web", Settlement(finished=tuple(entry.id for entry in entries[:finished])))
    assert log.trim(0, "web", ("archive", "hook")) == 1
    assert bodies_in(log_client) == [body("b"), body("c"), body("d")]


def test_trimming_tells_entries_of_the_same_millisecond_apart(line: Line) -> None:
    line.post("a")
    line.client.delete(STREAM)
    for sequence in range(3):
        line.client.xadd(STREAM, {"n": 1, "m": body(f"m{sequence}")}, id=f"5-{sequence}")
    line.client.xgroup_create(STREAM, "hook", "0")
    lease = line.lease()
    line.log.commit(lease, "web", Settlement(finished=(line.log.fresh(lease, "web", 1).entries[0].id,)))
    assert line.log.trim(0, "web", ("hook",)) == 1
    assert bodies_in(line.client) == [body("m1"), body("m2")]


def test_nothing_is_trimmed_while_an_expected_group_is_missing(log_client: redis.Redis) -> None:
    append(log_client, terms("hook"), "a")
    log = Log(log_client, lease_ms=10_000)
    lease = log.acquire(0, "hook", "w")
    assert isinstance(lease, Lease)
    log.commit(lease, "web", Settlement(finished=(log.fresh(lease, "web", 1).entries[0].id,)))
    assert log.trim(0, "web", ("archive", "hook")) == -1
    assert bodies_in(log_client) == [body("a")]
    assert log.trim(0, "web", ("hook",)) == 1


def test_a_source_without_a_stream_has_nothing_to_trim(log_client: redis.Redis) -> None:
    assert Log(log_client, lease_ms=1).trim(0, "web", ("archive",)) == 0


# out of memory


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = log_server(Path(tmp_path_factory.mktemp("small")), "fsync")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def full(small: Server) -> Iterator["redis.Redis"]:
    """A log that holds three messages, and then had no room left."""
    client = connect.client(small.url, timeout=5.0)
    client.config_set("maxmemory", 0)
    client.flushall()
    for name in ("a", "b", "c"):
        append(client, BOTH, name)
    client.config_set("maxmemory", 1)
    yield client
    client.close()


def test_a_full_log_refuses_an_append_whole(full: redis.Redis) -> None:
    before = everything(full)
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        append(full, BOTH, *[f"m{number}" for number in range(1_500)])
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        run(full, scripts.REFUSE, [keys.refused(0, "web"), keys.count(0, "web")], [b"{}"])
    assert everything(full) == before
    full.config_set("maxmemory", 0)
    assert append(full, BOTH, "m0")[:2] == [1, 0], "what was refused was not remembered as seen"


def test_a_full_log_can_be_drained(full: redis.Redis) -> None:
    log = Log(full, lease_ms=10_000)
    full.delete(keys.armed(0, "hook"))
    assert sweep(full, "archive", "hook", "extra") == ["hook"]
    for name in ("archive", "hook"):
        lease = log.acquire(0, name, "w")
        assert isinstance(lease, Lease)
        entries = log.fresh(lease, "web", 10).entries
        assert [entry.lines for entry in entries] == [[body("a")], [body("b")], [body("c")]]
        assert log.commit(lease, "web", Settlement(unfinished=((entries[2].id, (0,)),), verdict=GoOn(row=1)))
        done = tuple(entry.id for entry in entries)
        last = Settlement(finished=done, counts=ONE, asides=(Aside("u", 0, PUT),), letters=(b"{}",), passages=(b"{}",))
        assert log.commit(lease, "web", last)
        assert log.hold(lease, "~", "m") == 0
        assert len(log.lanes(lease, most_lanes=9, most=9).parcels) == 1
        assert log.commit(lease, "~", Settlement(rests=(Rest("u", 1, 0, ()),)))
        assert log.renew(lease)
        assert log.idle(lease, "web")
        assert log.release(lease) == "idle"
    assert log.trim(0, "web", ("archive", "hook")) == 3
    attach(full, "extra")
    assert full.hgetall(keys.count(0, "web"))[b"base:extra"] == b"3"


def test_every_script_is_known_under_its_own_hash(log_client: redis.Redis) -> None:
    every = [found for found in vars(scripts).values() if isinstance(found, scripts.Script)]
    assert {script.name for script in every} == {path.stem for path in Path(scripts.__file__).parent.glob("lua/*.lua")}
    for script in every:
        assert cast(Any, log_client.script_load(script.text)) in (script.sha, script.sha.encode())
        assert script.text.startswith("#!lua"), "only such a script is refused before it starts"
