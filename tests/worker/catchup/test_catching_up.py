"""A destination that was detached comes back: nothing missing, nothing twice, in order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis

from destinations.outcome import Deferred
from tests.worker.catchup.bench import LAGGARD, Bench
from tests.worker.rig import all_delivered, always
from worker import keys
from worker.catchup import filling
from worker.catchup.detaching import detach, relieve
from worker.catchup.filling import catch_up, gaps
from worker.catchup.rounds import make_room
from worker.config import LogSettings
from worker.groups import groups_of
from worker.story import Passage


@pytest.fixture
def bench(log_client: "redis.Redis", tmp_path: Path) -> Iterator[Bench]:
    made = Bench(log_client, tmp_path / "archive")
    yield made
    made.close()


def test_a_detached_destination_no_longer_holds_messages_in_the_log(bench: Bench) -> None:
    bench.post("a", "b")
    bench.archive_and_trim()
    assert bench.in_log() == 1
    assert detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.archive_and_trim()
    assert bench.in_log() == 0


def test_what_it_missed_comes_from_the_archive_once_and_in_order(bench: Bench) -> None:
    bench.post("a")
    bench.deliver()
    bench.post("b", "c")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    for name in "defghij":
        bench.post(name)
        bench.archive_and_trim()
    bench.post("k")
    bench.catch_up()
    bench.deliver()
    assert bench.hook.names() == list("abcdefghijk")


def test_what_was_half_finished_is_not_sent_again(bench: Bench) -> None:
    answers = {"b": Deferred("busy", scope="destination")}
    bench.hook.answer = lambda batch: [answers.get(one.head.message_id, all_delivered([one])[0]) for one in batch]
    bench.post("a", "b")
    bench.deliver()
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.archive_and_trim()
    bench.hook.answer = all_delivered
    bench.client.delete(keys.out("hook"))
    bench.catch_up()
    assert bench.hook.names() == ["a", "b", "b"]


def test_it_goes_on_from_the_log_when_it_has_caught_up(bench: Bench) -> None:
    bench.post("a")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.archive_and_trim()
    bench.catch_up()
    bench.post("b")
    bench.deliver()
    assert bench.hook.names() == ["a", "b"]
    assert set(groups_of(bench.client, keys.log(0, "web"))) == {"archive", "hook"}
    assert bench.client.smembers(keys.lines(0)) == set()


def test_messages_that_arrive_meanwhile_are_neither_missed_nor_doubled(bench: Bench) -> None:
    bench.post("m000")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    for number in range(1, 40):
        bench.post(f"m{number:03}")
        if number % 3 == 0:
            bench.archive_and_trim()
        if number % 2 == 0:
            catch_up(bench.client, bench.log, bench.config)
            bench.deliver()
    bench.archive_and_trim()
    if list(gaps(bench.client, bench.config)):
        bench.catch_up()
    bench.deliver()
    assert bench.hook.names() == [f"m{number:03}" for number in range(40)]


def test_it_catches_up_although_messages_never_stop_coming(bench: Bench) -> None:
    bench.post("m000")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    for number in range(1, 10):
        bench.post(f"m{number:03}")
        bench.archive_and_trim()
        catch_up(bench.client, bench.log, bench.config)
        bench.deliver()
    assert not list(gaps(bench.client, bench.config)), "it has its group again"
    assert bench.hook.names() == [f"m{number:03}" for number in range(10)]


def test_one_that_catches_up_too_slowly_holds_no_messages_in_a_log_short_of_room(bench: Bench) -> None:
    bench.post("a")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.archive_and_trim()
    catch_up(bench.client, bench.log, bench.config)
    bench.post("b", "c")
    bench.archive_and_trim()
    assert bench.in_log() == 1, "it is held for who has nearly caught up"
    settings = msgspec.structs.replace(bench.config, log=LogSettings(partitions=1, detach_at=0.001))
    bench.client.config_set("maxmemory", 100_000_000)
    try:
        make_room(bench.client, settings)
    finally:
        bench.client.config_set("maxmemory", 0)
    bench.archive_and_trim()
    assert bench.in_log() == 0
    bench.catch_up()
    assert bench.hook.names() == ["a", "b", "c"]


def test_a_destination_that_is_still_out_gets_no_flood(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "MOST_WAITING", 3)
    bench.post("a")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    for name in "bcdefgh":
        bench.post(name)
    bench.archive_and_trim()
    bench.hook.answer = always(Deferred("away", scope="destination"))
    for _ in range(5):
        catch_up(bench.client, bench.log, bench.config)
    assert filling.waiting(bench.client, next(gaps(bench.client, bench.config))) == 3


def test_the_story_and_the_accounts_are_those_of_the_source(bench: Bench) -> None:
    bench.post("a", "b")
    position = cast("list[tuple[bytes, Any]]", bench.client.xrange(keys.log(0, "web")))[0][0].decode()
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.archive_and_trim()
    bench.catch_up()
    assert bench.client.hget(keys.count(0, "web"), "delivered:hook") == b"2"
    rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", bench.client.xrange(keys.story(0)))
    told = [msgspec.json.decode(fields[b"s"], type=Passage) for _, fields in rows]
    [passage] = [one for one in told if one.destination == "hook"]
    assert passage.line == "web"
    assert passage.parts[0].positions == (f"{position}/0", f"{position}/1")


def test_only_a_log_short_of_room_detaches_and_only_who_is_out(bench: Bench) -> None:
    bench.post("a")
    settings = msgspec.structs.replace(bench.config, log=LogSettings(partitions=1, detach_at=0.001))
    assert relieve(bench.client, bench.log, settings, {"hook"}, "clerk") == []
    bench.client.config_set("maxmemory", 100_000_000)
    try:
        assert relieve(bench.client, bench.log, settings, set(), "clerk") == []
        assert relieve(bench.client, bench.log, settings, {"hook", "archive"}, "clerk") == [LAGGARD]
    finally:
        bench.client.config_set("maxmemory", 0)


def test_a_new_collector_gives_a_detached_destination_no_group_past_what_it_missed(bench: Bench) -> None:
    bench.post("a")
    detach(bench.client, bench.log, LAGGARD, "clerk")
    bench.log.attach(0, "web", ["archive", "hook"])
    assert set(groups_of(bench.client, keys.log(0, "web"))) == {"archive"}


def test_a_group_that_was_lost_begins_where_the_log_does(bench: Bench) -> None:
    bench.post("a")
    bench.deliver()
    bench.post("b")
    bench.client.xgroup_destroy(keys.log(0, "web"), "hook")
    bench.log.attach(0, "web", ["archive", "hook"])
    bench.log.rouse(0, "web", ["hook"])
    bench.deliver()
    assert set(bench.hook.names()) == {"a", "b"}
