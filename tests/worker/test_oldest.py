"""How long the oldest waiting message has waited."""

import msgspec
import pytest
import redis

from tests.worker.rig import Line, body, config
from worker import keys, oldest
from worker.parcel import Put


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


def test_what_waits_in_a_retry_lane_counts_with_the_time_at_which_it_came(log_client: redis.Redis) -> None:
    seconds, _ = log_client.time()
    put = Put(position="1-0/0", line="web", received_ms=(seconds - 300) * 1000, message=msgspec.Raw(b"{}"))
    log_client.rpush(keys.lane_of(0, "hook", "u"), msgspec.json.encode(put))
    log_client.zadd(keys.aside(0, "hook"), {"u": 1})
    assert oldest.waits(log_client, config("hook"))["web", "hook"] == pytest.approx(300, abs=10)


@pytest.mark.parametrize(("line", "account"), [("web~retry~hook", "web"), ("web~r1~hook", "web~r1~hook")])
def test_what_waits_in_a_line_of_its_own_counts_in_the_account_of_the_line(
    log_client: redis.Redis, line: str, account: str
) -> None:
    seconds, _ = log_client.time()
    log_client.xadd(keys.log(0, line), {"n": 1, "m": body("a")}, id=f"{(seconds - 50) * 1000}-0")
    log_client.xgroup_create(keys.log(0, line), "hook", "0")
    log_client.sadd(keys.lines(0), line)
    assert oldest.waits(log_client, config("hook")) == {(account, "hook"): pytest.approx(50, abs=10)}
