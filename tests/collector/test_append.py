"""Putting messages into the log: together, once, in order, and honestly when it cannot be done."""

import asyncio
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis
import redis.asyncio

from collector.append import MOST_GATHERED_BYTES, Appender
from collector.log_port import Item, LogFull, LogUnavailable
from collector.lot import RETRY_AFTER
from collector.sending import RETRY_AFTER_FULL
from tests.collector.appending import PARTITIONS, item, refusal, stored, with_appender
from worker import connect, keys, scripts
from worker.embedded import Server, log_server


def put_all(url: str, puts: Sequence[Sequence[Item]], **options: Any) -> list[BaseException | None]:
    """All at the same time."""

    async def act(appender: Appender) -> list[BaseException | None]:
        return await asyncio.gather(*(appender.put(items, []) for items in puts), return_exceptions=True)

    return with_appender(url, act, **options)


def put(url: str, *items: Item, **options: Any) -> BaseException | None:
    return put_all(url, [items], **options)[0]


def calls(client: "redis.Redis", command: str) -> int:
    found = cast("dict[str, dict[str, int]]", client.info("commandstats"))
    return found.get(f"cmdstat_{command}", {}).get("calls", 0)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A log server that this test alone may ill-treat."""
    server = log_server(tmp_path, "fsync")
    server.start()
    yield server
    if server.pid is not None:
        os.kill(server.pid, signal.SIGCONT)
    server.stop()


def test_a_put_returns_when_its_messages_are_stored(log_process: Server, log_client: redis.Redis) -> None:
    assert put(log_process.url, item("a"), item("b"), item("c", source="app")) is None
    assert stored(log_client) == ["a", "b"]
    assert stored(log_client, "app") == ["c"]


def test_a_put_of_nothing_is_fine(log_process: Server, log_client: redis.Redis) -> None:
    assert put(log_process.url) is None


def test_puts_at_the_same_time_travel_together(log_process: Server, log_client: redis.Redis) -> None:
    log_client.config_resetstat()
    puts = [[item(f"m{number}", user=f"u{number}")] for number in range(400)]
    assert put_all(log_process.url, puts) == [None] * 400
    assert sorted(stored(log_client)) == sorted(f"m{number}" for number in range(400))
    assert calls(log_client, "evalsha") <= 3 * PARTITIONS, "some flushes, each one call a partition"


def test_the_messages_of_one_user_stay_in_the_order_of_their_puts(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> None:
        async def user(name: str) -> None:
            waiting = []
            for number in range(20):
                waiting.append(asyncio.ensure_future(appender.put([item(f"{name}-{number:02d}", user=name)], [])))
                await asyncio.sleep(0)
            await asyncio.gather(*waiting)

        await asyncio.gather(*(user(f"u{number}") for number in range(30)))

    with_appender(log_process.url, act)
    found = stored(log_client)
    assert len(found) == 600
    for number in range(30):
        mine = [name for name in found if name.startswith(f"u{number}-")]
        assert mine == sorted(mine)


def test_whoever_should_be_nudged_is(log_process: Server, log_client: redis.Redis) -> None:
    nudged: list[tuple[int, str]] = []
    put(log_process.url, item("a", user="u"), nudge=nudged.extend)
    partition = keys.partition_of("web", "u", PARTITIONS)
    assert nudged == [(partition, "archive"), (partition, "hook")]
    put(log_process.url, item("b", user="u"), nudge=nudged.extend)
    assert len(nudged) == 2, "that nudge is still on its way"


def test_the_same_put_twice_gives_one_copy(log_process: Server, log_client: redis.Redis) -> None:
    for _ in range(2):
        assert put(log_process.url, item("a"), item("b")) is None
    assert stored(log_client) == ["a", "b"]


def test_a_server_that_has_forgotten_the_scripts_is_told_again(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> None:
        for name in ("a", "b"):
            log_client.script_flush()
            await appender.put([item(name)], [refusal(name.encode())])

    with_appender(log_process.url, act)
    assert stored(log_client) == ["a", "b"]
    assert len(refused(log_client)) == 2


def test_a_script_that_alone_is_forgotten_does_not_repeat_the_rest(
    log_process: Server, log_client: redis.Redis
) -> None:
    log_client.script_flush()
    log_client.script_load(scripts.REFUSE.text)
    nudged: list[tuple[int, str]] = []

    async def act(appender: Appender) -> None:
        await appender.put([item("a")], [refusal(b"{}")])

    with_appender(log_process.url, act, nudge=nudged.extend)
    assert len(refused(log_client)) == 1
    assert len(nudged) == 2


def refused(client: "redis.Redis") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for partition in range(PARTITIONS):
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.refused(partition, "web")))
        found += [msgspec.json.decode(fields[b"record"]) for _, fields in entries]
    return found


def test_what_was_refused_is_kept_and_counted(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> None:
        return await appender.put([item("good")], [refusal(b'{"type": 1}'), refusal(b"\xff\n")])

    assert with_appender(log_process.url, act) is None
    assert sorted(record["raw"] for record in refused(log_client)) == ["/wo=", "eyJ0eXBlIjogMX0="]
    counts = [cast("dict[bytes, bytes]", log_client.hgetall(keys.count(at, "web"))) for at in range(PARTITIONS)]
    assert sum(int(count.get(b"refused", 0)) for count in counts) == 2
    assert sum(int(count.get(b"received", 0)) for count in counts) == 1


def test_a_destination_that_comes_later_gets_what_comes_later(log_process: Server, log_client: redis.Redis) -> None:
    partition = keys.partition_of("app", "u", PARTITIONS)
    put(log_process.url, item("before", source="app"))
    log_client.xgroup_destroy(keys.log(partition, "app"), "archive")
    put(log_process.url, item("after", source="app"))
    unread = log_client.xreadgroup("archive", keys.CONSUMER, {keys.log(partition, "app"): ">"})
    assert [fields[b"m"] for _, fields in cast(Any, unread)[0][1]] == [b"after"]
    assert log_client.hget(keys.count(partition, "app"), "base:archive") == b"1"


def test_a_put_that_is_given_up_does_not_hurt_the_others(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> list[BaseException | None]:
        puts = [asyncio.ensure_future(appender.put([item(f"m{number}")], [])) for number in range(3)]
        await asyncio.sleep(0)
        puts[1].cancel()
        return await asyncio.gather(*puts, return_exceptions=True)

    first, second, third = with_appender(log_process.url, act)
    assert (first, third) == (None, None)
    assert isinstance(second, asyncio.CancelledError)
    assert stored(log_client) == ["m0", "m1", "m2"]


def test_while_the_log_is_away_clients_are_told_when_to_come_back(own: Server) -> None:
    async def act(appender: Appender) -> None:
        assert await appender.trouble() is None
        await appender.put([item("before")], [])
        own.stop()
        with pytest.raises(LogUnavailable) as found:
            await appender.put([item("lost")], [])
        assert (found.value.retry_after, found.value.reason) == (RETRY_AFTER, "the log cannot be reached")
        assert "does not answer" in (await appender.trouble() or "")
        own.start()
        await appender.put([item("after")], [])
        assert await appender.trouble() is None

    with_appender(own.url, act)
    client = connect.client(own.url, timeout=5.0)
    assert stored(client) == ["before", "after"]
    client.close()


def test_a_log_that_hangs_is_not_waited_for_and_a_repeat_gives_one_copy(own: Server) -> None:
    assert own.pid is not None
    pid = own.pid

    async def act(appender: Appender) -> None:
        await appender.put([item("a")], [])
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(3.0):
            with pytest.raises(LogUnavailable):
                await appender.put([item("b"), item("c")], [])
        os.kill(pid, signal.SIGCONT)
        await appender.put([item("b"), item("c")], [])

    with_appender(own.url, act, timeout=0.3)
    client = connect.client(own.url, timeout=5.0)
    assert stored(client) == ["a", "b", "c"]
    client.close()


def test_a_full_log_takes_nothing_and_says_so(own: Server) -> None:
    client = connect.client(own.url, timeout=5.0)

    async def act(appender: Appender) -> None:
        await appender.put([item("a")], [])
        client.config_set("maxmemory", 1)
        for items, refusals in (([item("b")], []), ([], [refusal(b"{}")]), ([item("c")], [refusal(b"{}")])):
            with pytest.raises(LogFull) as found:
                await appender.put(items, refusals)
            assert found.value.retry_after == RETRY_AFTER_FULL
        client.config_set("maxmemory", 0)
        await appender.put([item("b")], [])

    with_appender(own.url, act)
    assert stored(client) == ["a", "b"]
    assert refused(client) == []
    client.close()


def test_the_trouble_of_one_partition_is_not_that_of_another(
    log_process: Server, log_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    users = {keys.partition_of("web", f"u{number}", PARTITIONS): f"u{number}" for number in range(100)}
    log_client.set(keys.seen_new(1), "not a set")
    found = put_all(log_process.url, [[item(f"m{at}", user=user)] for at, user in sorted(users.items())])
    assert [answer is None for answer in found] == [True, False, True, True]
    assert isinstance(found[1], LogUnavailable)
    assert stored(log_client) == ["m0", "m2", "m3"]
    assert "the log refused messages" in caplog.text


def test_a_put_over_several_partitions_fails_when_one_of_them_does(
    log_process: Server, log_client: redis.Redis
) -> None:
    log_client.set(keys.seen_new(1), "not a set")
    whole = [item(f"m{number}", user=f"u{number}") for number in range(50)]
    assert isinstance(put(log_process.url, *whole), LogUnavailable)
    log_client.delete(keys.seen_new(1))
    assert put(log_process.url, *whole) is None
    assert sorted(stored(log_client)) == sorted(f"m{number}" for number in range(50))


def test_without_a_replica_nothing_is_promised_by_one(log_process: Server, log_client: redis.Redis) -> None:
    found = put(log_process.url, item("a"), replicas=1, timeout=0.5)
    assert isinstance(found, LogUnavailable)
    assert found.reason == "no replica has confirmed the messages"
    assert stored(log_client) == ["a"], "it may be there: a repeat gives no second copy"


def test_more_than_a_process_should_hold_is_refused(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> None:
        appender._lot.take([item("large", size=MOST_GATHERED_BYTES)], [])
        with pytest.raises(LogUnavailable, match="too much is waiting for the log"):
            await appender.put([item("a")], [])

    with_appender(log_process.url, act)


def test_stopping_answers_every_put_first(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> list[BaseException | None]:
        puts = [asyncio.ensure_future(appender.put([item("a")], []))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        puts.append(asyncio.ensure_future(appender.put([item("b")], [])))
        await asyncio.sleep(0)
        await appender.stop()
        async with asyncio.timeout(5.0):
            return await asyncio.gather(*puts, return_exceptions=True)

    assert with_appender(log_process.url, act) == [None, None]
    assert stored(log_client) == ["a", "b"]


def test_a_bug_in_the_collector_leaves_nobody_waiting_and_shows(log_process: Server, log_client: redis.Redis) -> None:
    def broken(pairs: Iterable[tuple[int, str]]) -> None:
        raise ZeroDivisionError

    async def act(appender: Appender) -> None:
        async with asyncio.timeout(5.0):
            await appender.put([item("a")], [])
            with pytest.raises(LogUnavailable):
                await appender.put([item("b")], [])
            assert await appender.trouble() == "this collector is not at work"

    with_appender(log_process.url, act, nudge=broken)
    assert stored(log_client) == ["a"]


def test_after_stopping_nothing_is_taken(log_process: Server, log_client: redis.Redis) -> None:
    async def act(appender: Appender) -> None:
        await appender.stop()
        async with asyncio.timeout(5.0):
            with pytest.raises(LogUnavailable):
                await appender.put([item("a")], [])

    with_appender(log_process.url, act)
    assert stored(log_client) == []


def test_a_connection_that_has_gone_stale_costs_no_client_anything(
    log_process: Server, log_client: redis.Redis
) -> None:
    async def act(appender: Appender) -> None:
        await appender.put([item("before")], [])
        for client in log_client.client_list():
            if int(client["id"]) != log_client.client_id():
                log_client.client_kill_filter(_id=client["id"])
        await appender.put([item("after")], [])

    with_appender(log_process.url, act)
    assert stored(log_client) == ["before", "after"]
