"""An appender in a loop of its own, with or without a spool, and a look at what it put into the log."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from collector.append import Appender
from collector.exchange import Exchange
from collector.log_port import Item, Refusal
from collector.spool.spool import Spool
from collector.suppression import Suppression
from tests.waiting import eventually
from worker import connect, keys
from worker.appending import Terms

T = TypeVar("T")

PARTITIONS = 4
TERMS = Terms(
    routes={"web": ("archive", "hook"), "app": ("archive",)},
    partitions=PARTITIONS,
    window_ms=86_400_000,
    most_ids=1_000_000,
)
NOON = 1_700_049_600.0


def item(name: str, *, user: str = "u", source: str = "web", size: int = 0) -> Item:
    return Item(source=source, message_id=name, user=user, body=(name + " " * size).encode())


def refusal(raw: bytes, *, source: str = "web") -> Refusal:
    at = "2024-02-29T12:00:00.000Z"
    return Refusal(
        source=source, received_at=at, kind="message", path="/v1/track", raw=raw, size=len(raw), violations=()
    )


def with_appender(
    url: str,
    act: Callable[[Appender], Awaitable[T]],
    *,
    nudge: Callable[[Iterable[tuple[int, str]]], None] = lambda pairs: None,
    replicas: int = 0,
    timeout: float = 2.0,
    spool: Spool | None = None,
    prepare: Callable[[], None] | None = None,
    suppression: Suppression | None = None,
) -> T:
    async def whole() -> T:
        client = redis.asyncio.Redis.from_url(
            url, protocol=2, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        appender = Appender(
            Exchange(client, timeout=timeout),
            TERMS,
            nudge,
            replicas=replicas,
            timeout=timeout,
            spool=spool,
            prepare=prepare,
            suppression=suppression,
        )
        appender.start()
        try:
            return await act(appender)
        finally:
            await appender.stop()

    return asyncio.run(whole())


def spool_in(directory: Path, *, most_bytes: int = 1 << 24) -> Spool:
    return Spool(directory / "spool", most_bytes=most_bytes, now=lambda: NOON)


def stored(client: "redis.Redis", source: str = "web") -> list[str]:
    """By partition, and within it in order."""
    found: list[str] = []
    for partition in range(PARTITIONS):
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.log(partition, source)))
        found += [line.decode().strip() for _, fields in entries for line in fields[b"m"].split(b"\n")]
    return found


@contextmanager
def looking_at(url: str) -> Iterator["redis.Redis"]:
    client = connect.client(url, timeout=5.0)
    try:
        yield client
    finally:
        client.close()


async def soon(condition: Callable[[], object], *, within: float = 20.0, what: str = "") -> None:
    """Let the loop run until it is so."""
    await asyncio.to_thread(eventually, condition, within=within, what=what)
