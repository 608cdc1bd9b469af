"""A new configuration takes over between requests and between flushes: each message meets one of them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest
import redis
from starlette.types import Message

from collector import log_side
from collector.app import Edge
from collector.append import Appender
from collector.config import Config, config_of
from collector.log_port import Item
from collector.policy import Policy, Rate
from collector.visitor import networks
from schemas.limits import Limits
from tests.collector.client import Client, MemoryLog, basic
from worker import keys
from worker.embedded import Server

T = TypeVar("T")

ONE = '[sources.web]\nwrite_keys = ["dev"]\narchive = false\nprofiles = false\n[destinations.one]\ntype = "console"\n'
TWO = ONE + '[destinations.two]\ntype = "console"\n'
OTHER = '[sources.shop]\nwrite_keys = ["s"]\narchive = false\nprofiles = false\n[destinations.one]\ntype = "console"\n'
MESSAGE = b'{"userId":"u1","event":"e"}'


@pytest.fixture
def configured(log_process: Server, log_client: redis.Redis, tmp_path: Path) -> Callable[[str], Config]:
    def read(text: str) -> Config:
        return config_of(text, None, {}, data=tmp_path).at(log=log_process.url, rq=log_process.url)

    return read


def with_appender(config: Config, act: Callable[[Appender], Awaitable[T]]) -> T:
    async def whole() -> T:
        appender = log_side.appender(config, lambda pairs: None, prepared=True)
        appender.start()
        try:
            return await act(appender)
        finally:
            await appender.stop()

    return asyncio.run(whole())


def item(name: str, source: str = "web") -> Item:
    return Item(source=source, message_id=name, user="u", body=b'{"messageId":"%s"}' % name.encode())


def groups(client: redis.Redis) -> set[str]:
    """The destinations that any stream of `web` has."""
    streams = cast("list[bytes]", client.keys("*:log:web"))
    return {group["name"].decode() for stream in streams for group in client.xinfo_groups(stream)}


def test_the_next_flush_goes_where_the_new_configuration_says(
    configured: Callable[[str], Config], log_client: redis.Redis
) -> None:
    async def act(appender: Appender) -> None:
        await appender.put([item("a")], [])
        assert groups(log_client) == {"one"}
        appender.renew(log_side.terms(configured(TWO)))
        await appender.put([item("b")], [])

    with_appender(configured(ONE), act)
    assert groups(log_client) == {"one", "two"}
    assert any(log_client.zcard(keys.ready(partition, "two")) for partition in range(8))


def test_what_was_accepted_from_a_source_that_is_gone_is_still_stored(
    configured: Callable[[str], Config], log_client: redis.Redis
) -> None:
    async def act(appender: Appender) -> None:
        appender.renew(log_side.terms(configured(OTHER)))
        await appender.put([item("a"), item("b", "shop")], [])

    with_appender(configured(ONE), act)
    assert sum(log_client.xlen(key) for key in cast("list[bytes]", log_client.keys("*:log:*"))) == 2


def test_a_key_that_is_gone_is_unknown_and_a_new_one_is_known(client: Client, log: MemoryLog) -> None:
    edge = cast("Edge", client.app)
    edge.renew({"app": ["new"]}, Limits())
    assert client.post("/v1/track", MESSAGE).status == 401
    assert client.post("/v1/track", MESSAGE, basic("new")).status == 200
    assert [one.source for one in log.items] == ["app"]


def test_limits_are_those_of_the_new_configuration(client: Client) -> None:
    batch = {"batch": [{"type": "track", "userId": "u", "event": "e"}] * 2}
    assert client.post("/v1/batch", batch).status == 200
    cast("Edge", client.app).renew({"web": ["wk_web"]}, Limits(batch_messages=1))
    assert client.post("/v1/batch", batch).status == 400


def test_what_a_source_asks_is_that_of_the_new_configuration(client: Client, log: MemoryLog) -> None:
    edge = cast("Edge", client.app)
    asked = {"web": Policy(origins=("https://shop.example",))}
    edge.renew({"web": ["wk_web"]}, Limits(), asked, networks(["192.0.2.1"]))
    assert client.post("/v1/track", MESSAGE, {"Origin": "https://a.example"}).status == 403
    known = {"Origin": "https://shop.example", "X-Forwarded-For": "203.0.113.7"}
    assert client.post("/v1/track", MESSAGE, known).status == 200
    assert log.messages[0]["context"]["ip"] == "203.0.113.7"


def test_a_change_of_something_else_fills_no_bucket(client: Client) -> None:
    edge = cast("Edge", client.app)
    asked = {"web": Policy(rate=Rate(messages=1))}
    edge.renew({"web": ["wk_web"]}, Limits(), asked)
    assert [client.post("/v1/track", MESSAGE).status for _ in range(2)] == [200, 429]
    edge.renew({"web": ["wk_web"]}, Limits(depth=9), {"web": Policy(rate=Rate(messages=1))})
    assert client.post("/v1/track", MESSAGE).status == 429
    edge.renew({"web": ["wk_web"]}, Limits(), {"web": Policy(rate=Rate(messages=2))})
    assert client.post("/v1/track", MESSAGE).status == 200


def test_a_request_under_way_ends_under_the_configuration_that_it_began_with(client: Client, log: MemoryLog) -> None:
    edge = cast("Edge", client.app)
    sent: list[Message] = []

    async def receive() -> Message:
        edge.renew({"app": ["new"]}, Limits(message_bytes=1))  # while the body is on its way
        return {"type": "http.request", "body": MESSAGE, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in basic("wk_web").items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/track", "query_string": b"", "headers": headers}
    asyncio.run(edge(scope, receive, send))
    assert sent[0]["status"] == 200
    assert [one.source for one in log.items] == ["web"]
