"""How long the oldest waiting message has waited."""

import pytest
import redis

from tests.worker.rig import Line, body, config
from worker import keys, oldest


def entry(client: "redis.Redis", age: int, *, messages: int = 1) -> None:
    """An entry that came `age` seconds ago; without messages it is a canary."""
    seconds, _ = client.time()
    fields = {"n": messages, "m": body(f"m{age}") if messages else b""}
    client.xadd(keys.log(0, "web"), fields, id=f"{(seconds - age) * 1000}-0")  # type: ignore[arg-type]  # redis-py


def test_nothing_waits_in_an_empty_log(log_client: redis.Redis) -> None:
    assert oldest.waits(log_client, config("hook")) == {}


def test_the_oldest_is_told_by_source_and_destination(log_client: redis.Redis) -> None:
    entry(log_client, 100)
    log_client.xgroup_create(keys.log(0, "web"), "hook", "0")
    log_client.xgroup_create(keys.log(0, "web"), "archive", "$")
    assert oldest.waits(log_client, config("hook", "archive")) == {("web", "hook"): pytest.approx(100, abs=10)}


def test_a_canary_is_no_message_whether_it_was_given_out_or_not(line: Line) -> None:
    for age, messages in ((300, 0), (200, 1), (100, 0)):
        entry(line.client, age, messages=messages)
    line.client.xgroup_create(keys.log(0, "web"), "hook", "0")
    assert oldest.waits(line.client, config("hook"))["web", "hook"] == pytest.approx(200, abs=10)
    line.log.fresh(line.lease(), "web", 1)
    assert oldest.waits(line.client, config("hook"))["web", "hook"] == pytest.approx(200, abs=10)


def test_where_only_canaries_wait_nothing_waits(log_client: redis.Redis) -> None:
    entry(log_client, 100, messages=0)
    log_client.xgroup_create(keys.log(0, "web"), "hook", "0")
    assert oldest.waits(log_client, config("hook")) == {}
