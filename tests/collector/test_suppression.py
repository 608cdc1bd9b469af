"""What suppressed users send is answered, and goes nowhere; what others send is not touched."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis
from sqlalchemy import Engine

from collector.append import Appender
from collector.log_port import Item
from collector.suppression import Suppression
from tests import databases
from tests.collector.appending import PARTITIONS, refusal, soon, spool_in, stored, with_appender
from worker import connect, keys
from worker.embedded import Server
from worker.forgetting import register


def item(kind: str, **members: str) -> Item:
    at = "2024-02-29T12:00:00.000Z"
    told = {"type": kind, "messageId": "-".join([kind, *members.values()]), "timestamp": at, "receivedAt": at} | members
    who = members.get("userId") or members.get("anonymousId") or members.get("groupId") or ""
    return Item(source="web", message_id=str(told["messageId"]), user=who, body=msgspec.json.encode(told))


VERA = item("track", userId="vera")
OTTO = item("track", userId="otto")
OF_VERA = [
    VERA,
    item("track", anonymousId="veras-browser"),
    item("group", userId="vera", groupId="acme"),
    item("alias", userId="vera", previousId="someone"),
    item("alias", userId="otto", previousId="vera"),
]
OF_OTHERS = [
    OTTO,
    item("track", userId="otto", anonymousId="veras-browser"),
    item("group", groupId="vera"),
    item("alias", userId="otto", previousId="someone"),
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with databases.opened(databases.in_file(tmp_path)) as engine:
        yield engine


@pytest.fixture
def suppression(log_client: redis.Redis, log_process: Server, engine: Engine) -> Iterator[Suppression]:
    """Of Vera, with her browser."""
    suppress(log_client, engine, "vera", "veras-browser")
    found = Suppression(connect.client(log_process.url, timeout=5.0))
    asyncio.run(found.look())
    yield found
    found.close()


def suppress(client: redis.Redis, engine: Engine, user: str, *others: str, until: str = "") -> None:
    register.note(engine, register.key_of(engine), user, others, until=until)
    register.publish(client, engine, partitions=PARTITIONS)


def test_all_that_is_of_the_user_is_dropped_and_nothing_of_others(suppression: Suppression) -> None:
    assert suppression.let_in([*OF_VERA, *OF_OTHERS]) == OF_OTHERS


def test_requests_that_were_refused_are_not_kept_either(suppression: Suppression) -> None:
    bad, other = refusal(b'{"userId": "vera", "type": 7}'), refusal(b'{"userId": "otto", "type": 7}')
    unreadable = refusal(b'{"userId": "vera')
    assert suppression.let_aside([bad, other, unreadable]) == [other, unreadable]


def test_while_nobody_is_suppressed_nothing_is_looked_at(
    log_client: redis.Redis, log_process: Server, engine: Engine
) -> None:
    suppression = Suppression(connect.client(log_process.url, timeout=5.0))
    asyncio.run(suppression.look())
    assert suppression.memory is None
    suppress(log_client, engine, "vera", until="2024-02-29T12:00:00.000Z")
    asyncio.run(suppression.look())
    assert suppression.memory is None, "what came earlier is forgotten, and what comes now is taken"
    suppression.close()


def test_whoever_is_suppressed_no_longer_is_taken_in_again(
    suppression: Suppression, log_client: redis.Redis, engine: Engine
) -> None:
    assert register.release(engine, register.key_of(engine), "vera", until="2024-02-29T12:00:00.000Z") == 2
    register.publish(log_client, engine, partitions=PARTITIONS)
    asyncio.run(suppression.look())
    assert suppression.let_in(OF_VERA) == OF_VERA


def test_a_collector_stores_the_others_and_counts_what_it_dropped(
    suppression: Suppression, log_client: redis.Redis, log_process: Server
) -> None:
    async def put(appender: Appender) -> None:
        await appender.put([VERA], [])
        await appender.put([VERA, OTTO], [])
        await suppression.look()

    with_appender(log_process.url, put, suppression=suppression)
    assert stored(log_client) == [OTTO.body.decode()]
    assert log_client.hgetall(keys.SUPPRESSED) == {b"web": b"2"}


def test_what_waits_in_a_spool_is_dropped_on_its_way_to_the_log(
    suppression: Suppression, log_client: redis.Redis, log_process: Server, tmp_path: Path
) -> None:
    async def fill() -> None:
        spool = spool_in(tmp_path)
        await spool.open()
        await spool.add([([VERA, OTTO], [])])
        await spool.close()

    async def bring(appender: Appender) -> None:
        await soon(lambda: stored(log_client) and appender.spooled() is None, what="the spool is brought to the log")

    asyncio.run(fill())
    with_appender(log_process.url, bring, spool=spool_in(tmp_path), suppression=suppression)
    assert stored(log_client) == [OTTO.body.decode()]


def test_the_log_is_told_again_who_is_suppressed_when_it_has_lost_that(
    suppression: Suppression, log_client: redis.Redis, engine: Engine
) -> None:
    log_client.flushall()
    register.keep_published(log_client, engine, partitions=PARTITIONS)
    asyncio.run(suppression.look())
    assert suppression.let_in([VERA, OTTO]) == [OTTO]


def test_nobody_can_read_who_is_suppressed(suppression: Suppression, log_client: redis.Redis) -> None:
    known = [log_client.dump(key) or b"" for key in log_client.scan_iter()]
    assert not any(b"vera" in kept for kept in known)
