"""What a collector with another configuration appended is found, and counted where it belongs."""

import redis

from tests.worker.rig import append, config, terms
from worker import keys, status
from worker.log import Log

OLD, NEW = terms("hook"), terms("hook", "later")


def ready(client: "redis.Redis", destination: str) -> list[object]:
    return list(client.zrange(keys.ready(0, destination), 0, -1))


def test_a_message_that_was_appended_without_a_mark_for_a_destination_is_found(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    append(log_client, NEW, "a")
    log_client.delete(keys.ready(0, "later"))
    append(log_client, OLD, "b")
    assert ready(log_client, "later") == []
    assert log.rouse(0, "web", ["hook", "later"]) == 1
    assert ready(log_client, "later") == [b"web"]


def test_a_destination_that_has_everything_is_left_alone(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    append(log_client, OLD, "a")
    log_client.delete(keys.ready(0, "hook"))
    log_client.xreadgroup("hook", keys.CONSUMER, {keys.log(0, "web"): ">"}, noack=True)
    assert log.rouse(0, "web", ["hook"]) == 0
    assert ready(log_client, "hook") == []


def test_what_was_read_and_not_finished_is_found_too(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    append(log_client, OLD, "a")
    log_client.delete(keys.ready(0, "hook"))
    log_client.xreadgroup("hook", keys.CONSUMER, {keys.log(0, "web"): ">"})
    assert log.rouse(0, "web", ["hook"]) == 1


def test_an_empty_log_and_an_unknown_destination_are_no_trouble(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    assert log.rouse(0, "web", ["hook"]) == 0
    append(log_client, OLD, "a")
    assert log.rouse(0, "web", ["nobody"]) == 0


def test_a_destination_that_came_later_owes_nothing_where_it_has_no_place_yet(log_client: redis.Redis) -> None:
    append(log_client, OLD, "a", "b")
    row = next(row for row in status.read(log_client, config("hook", "later")).rows if row.destination == "later")
    assert (row.received, row.waiting, row.oldest_waiting_seconds) == (0, 0, None)
