"""Entries without messages that show whether deliveries move."""

from typing import cast

import pytest
import redis

from tests.worker.rig import Line, Scripted, config
from worker import canary, keys, watch
from worker.canary import CanaryAge
from worker.config import Config


def age(client: "redis.Redis", settings: Config) -> CanaryAge:
    (found,) = canary.ages(client, settings)
    return found


def set_back(client: "redis.Redis", seconds: int) -> None:
    """As if what is noted of canaries had happened so long ago."""
    for field, value in client.hgetall(keys.canary("hook")).items():
        client.hset(keys.canary("hook"), field, int(value) - seconds * 1000)


def arrive(client: "redis.Redis") -> None:
    """The last canary is delivered."""
    sent = client.hget(keys.canary("hook"), "sent:web")
    assert sent is not None
    client.hset(keys.canary("hook"), "web", sent)


def test_where_none_was_sent_there_is_nothing_to_tell(log_client: redis.Redis) -> None:
    assert canary.ages(log_client, config("hook")) == []


def test_one_is_sent_to_each_source_and_marks_it_ready_for_its_destinations(log_client: redis.Redis) -> None:
    canary.send_canaries(log_client, config("hook", "archive"))
    ((_, fields),) = cast("list[tuple[bytes, dict[bytes, bytes]]]", log_client.xrange(keys.log(0, "web")))
    assert (fields[b"n"], fields[b"m"]) == (b"0", b"")
    assert {group["name"] for group in log_client.xinfo_groups(keys.log(0, "web"))} == {b"hook", b"archive"}
    for name in ("hook", "archive"):
        assert log_client.zscore(keys.ready(0, name), "web") is not None
        assert int(log_client.hget(keys.canary(name), "sent:web") or 0) == int(fields[b"c"])


def test_they_visit_one_partition_after_the_other() -> None:
    settings = config("hook", partitions=3)
    assert [canary.in_turn(60.0 * minute, settings) for minute in range(5)] == [0, 1, 2, 0, 1]
    assert {canary.in_turn(60.0 + second, settings) for second in range(60)} == {1}


def test_one_that_has_arrived_has_no_age(log_client: redis.Redis) -> None:
    canary.send_canaries(log_client, config("hook"))
    arrive(log_client)
    set_back(log_client, 100)
    found = age(log_client, config("hook"))
    assert found.age_s == 0
    assert found.sent_s == pytest.approx(100, abs=10)


def test_one_that_does_not_arrive_grows_old_whatever_is_sent_after_it(log_client: redis.Redis) -> None:
    canary.send_canaries(log_client, config("hook"))
    set_back(log_client, 100)
    canary.send_canaries(log_client, config("hook"))
    found = age(log_client, config("hook"))
    assert found.age_s == pytest.approx(100, abs=10)
    assert found.sent_s < 10


def test_a_pause_in_the_sending_is_no_age(log_client: redis.Redis) -> None:
    canary.send_canaries(log_client, config("hook"))
    arrive(log_client)
    set_back(log_client, 3_600)
    canary.send_canaries(log_client, config("hook"))
    assert age(log_client, config("hook")).age_s < 10


def test_the_destination_is_not_asked_about_it_and_it_counts_nowhere(line: Line) -> None:
    canary.send_canaries(line.client, config("hook"))
    line.post("a")
    destination = Scripted()
    assert line.courier(destination).drain(0, "hook") == "idle"
    assert destination.names() == ["a"]
    assert line.pending() == 0
    assert (line.counts()["received"], line.counts()["delivered:hook"]) == (1, 1)


def test_somebody_who_watches_does_not_see_it(line: Line) -> None:
    line.post("a")
    canary.send_canaries(line.client, config("hook"))
    seen = watch.follow(line.client, config("hook"), last=5)
    assert b'"messageId":"a"' in next(seen)[1]
    canary.send_canaries(line.client, config("hook"))
    line.post("b")
    assert b'"messageId":"b"' in next(body for body in (row[1] for row in seen) if body)
