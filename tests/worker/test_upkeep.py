"""What keeps the log moving whoever dies."""

import msgspec
import pytest
import redis

from tests.worker.rig import append, config, server_ms, terms
from worker import jobs, keys
from worker.breaker import breaker_of
from worker.upkeep import Upkeep

PARTITIONS = 4
SETTINGS = config("hook", "file", partitions=PARTITIONS)
BOTH = terms("hook", "file")


def fill(client: "redis.Redis", *, partitions: int = PARTITIONS) -> None:
    """A message in each partition, and no nudge for it."""
    append(client, BOTH, "m")
    for partition in range(partitions):
        for name in ("hook", "file"):
            client.delete(keys.armed(partition, name))
            client.zadd(keys.ready(partition, name), {"web": server_ms()})


def nudged(client: "redis.Redis") -> list[tuple[object, ...]]:
    """The drains that were asked for since the last question."""
    queue = jobs.queue_on(client)
    found = sorted(tuple(job.args) for job in queue.jobs)
    client.delete(queue.key)
    return found


@pytest.fixture
def upkeep(log_client: redis.Redis, rq_client: redis.Redis) -> Upkeep:
    return Upkeep(SETTINGS, log_client, rq_client)


def test_all_that_is_due_is_nudged_once(upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis) -> None:
    fill(log_client)
    upkeep.sweep()
    assert nudged(rq_client) == [(partition, name) for partition in range(4) for name in ("file", "hook")]
    upkeep.sweep()
    assert nudged(rq_client) == []


def test_nudges_say_what_can_wait(upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis) -> None:
    now = server_ms()
    log_client.zadd(keys.ready(0, "hook"), {"web~r5f3a~hook": now - 9, "web": now})
    log_client.zadd(keys.ready(1, "hook"), {"web~catchup~hook": now})
    log_client.zadd(keys.ready(2, "hook"), {"web~retry~hook": now})
    log_client.zadd(keys.aside(3, "hook"), {"a lane": now - 9})
    upkeep.sweep()
    assert nudged(rq_client) == [(0, "hook"), *((partition, "hook", jobs.LATER) for partition in (1, 2, 3))]


def test_a_destination_that_waits_is_left_out(upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis) -> None:
    fill(log_client)
    breaker_of(log_client, SETTINGS).failed("hook", attempts=0, pause_ms=60_000, reason="", scope="destination")
    upkeep.sweep()
    assert nudged(rq_client) == [(partition, "file") for partition in range(4)]


def test_a_destination_that_may_be_tried_again_is_nudged_for_one_partition(
    upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    fill(log_client)
    breaker_of(log_client, SETTINGS).failed("hook", attempts=0, pause_ms=0, reason="", scope="destination")
    for _ in range(3):
        upkeep.sweep()
    assert [name for _, name in nudged(rq_client)].count("hook") == 1


def test_the_partition_that_has_something_is_found_for_the_try(
    upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    log_client.zadd(keys.ready(2, "hook"), {"web": server_ms()})
    breaker_of(log_client, SETTINGS).failed("hook", attempts=0, pause_ms=0, reason="", scope="destination")
    upkeep.sweep()
    assert nudged(rq_client) == [(2, "hook")]


def test_who_is_back_is_woken_everywhere_at_the_next_sweep(
    upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    fill(log_client)
    breaker = breaker_of(log_client, SETTINGS)
    breaker.failed("hook", attempts=0, pause_ms=60_000, reason="", scope="destination")
    upkeep.sweep()
    for partition in range(PARTITIONS):
        log_client.set(keys.armed(partition, "hook"), server_ms())  # nudges that came while it was out
    nudged(rq_client)
    breaker.succeeded("hook")
    upkeep.sweep()
    assert nudged(rq_client) == [(partition, "hook") for partition in range(4)]


def test_a_sweep_of_many_destinations_takes_few_round_trips(log_client: redis.Redis, rq_client: redis.Redis) -> None:
    wide = config(*(f"d{number}" for number in range(100)), partitions=8)
    upkeep = Upkeep(wide, log_client, rq_client)
    upkeep.sweep()
    before = log_client.info("stats")["total_reads_processed"]
    upkeep.sweep()
    assert log_client.info("stats")["total_reads_processed"] - before < 12


def test_scripts_that_the_server_forgot_are_loaded_again(
    upkeep: Upkeep, log_client: redis.Redis, rq_client: redis.Redis
) -> None:
    fill(log_client)
    log_client.script_flush()
    upkeep.sweep()
    assert len(nudged(rq_client)) == 8


def test_what_every_destination_has_is_trimmed(upkeep: Upkeep, log_client: redis.Redis) -> None:
    append(log_client, BOTH, "a", "b")
    for name in ("hook", "file"):
        log_client.xreadgroup(name, keys.CONSUMER, {keys.log(0, "web"): ">"}, noack=True)
    upkeep.trim()
    assert log_client.xlen(keys.log(0, "web")) == 0


def test_a_line_of_its_own_is_roused_for_its_one_destination_and_trimmed_behind_it(
    upkeep: Upkeep, log_client: redis.Redis
) -> None:
    name = "web~retry~hook"
    stream = keys.log(1, name)
    log_client.xgroup_create(stream, "hook", "0", mkstream=True)
    log_client.xadd(stream, {"n": 1, "m": "{}"})
    log_client.sadd(keys.lines(1), name)
    upkeep.rouse()
    assert log_client.zscore(keys.ready(1, "hook"), name) is not None
    upkeep.trim()
    assert log_client.xlen(stream) == 1
    log_client.xreadgroup("hook", keys.CONSUMER, {stream: ">"}, noack=True)
    upkeep.trim()
    assert log_client.xlen(stream) == 0


def test_without_destinations_there_is_nothing_to_do(log_client: redis.Redis, rq_client: redis.Redis) -> None:
    bare = Upkeep(msgspec.structs.replace(SETTINGS, sources={}), log_client, rq_client)
    bare.sweep()
    bare.rouse()
    bare.trim()
    assert nudged(rq_client) == []
