"""Destinations that were taken out of the configuration while the log still has something for them."""

import redis

from tests.worker.rig import append, config, terms
from worker import keys, status, strays
from worker.log import Log
from worker.strays import Stray

BOTH = terms("hook", "old")


def finished_by(client: "redis.Redis", destination: str) -> None:
    client.xreadgroup(destination, keys.CONSUMER, {keys.log(0, "web"): ">"}, noack=True)


def test_a_configured_destination_is_no_stray(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a")
    assert strays.find(log_client, config("hook", "old")) == ()


def test_an_empty_log_has_no_strays(log_client: redis.Redis) -> None:
    assert strays.find(log_client, config("hook")) == ()


def test_a_destination_that_was_taken_out_is_shown_with_what_is_kept_for_it(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a", "b")
    assert status.read(log_client, config("hook")).strays == (Stray("web", "old", 2),)


def test_the_log_is_trimmed_past_it_only_after_it_was_detached(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a", "b")
    finished_by(log_client, "hook")
    log = Log(log_client, lease_ms=10_000)
    log.trim(0, "web", ["hook"])
    assert log_client.xlen(keys.log(0, "web")) == 1
    strays.detach(log_client, config("hook"), Stray("web", "old", 2))
    log.trim(0, "web", ["hook"])
    assert log_client.xlen(keys.log(0, "web")) == 0
    assert strays.find(log_client, config("hook")) == ()


def test_a_detached_destination_that_comes_back_begins_a_new_account(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a", "b")
    strays.detach(log_client, config("hook"), Stray("web", "old", 2))
    Log(log_client, lease_ms=10_000).attach(0, "web", ["hook", "old"])
    append(log_client, BOTH, "c")
    row = next(row for row in status.read(log_client, config("hook", "old")).rows if row.destination == "old")
    assert (row.received, row.waiting) == (1, 1)


def test_one_that_was_taken_out_while_it_caught_up_is_detached_with_all_it_held(log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a")
    stream = keys.log(0, "web")
    log_client.xgroup_destroy(stream, "old")
    log_client.xgroup_create(stream, "old~pin", "0")
    log_client.hset(keys.detached(0, "old"), "web", "0-0")
    assert strays.find(log_client, config("hook", "old")) == (), "it is catching up"
    assert strays.find(log_client, config("hook")) == (Stray("web", "old", 1),)
    strays.detach(log_client, config("hook"), Stray("web", "old", 1))
    assert strays.find(log_client, config("hook")) == ()
    assert not log_client.exists(keys.detached(0, "old"))
