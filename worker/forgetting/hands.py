"""Wait until nobody has a message in hand that was taken before a certain moment."""

import time
from collections.abc import Callable, Iterator
from typing import cast

import redis

LOOK_EVERY = 0.05
MOST_SECONDS = 60.0


def held(client: "redis.Redis") -> dict[str, bytes]:
    """The leases that are in force: whoever takes one later knows who is forgotten."""
    names = sorted(cast("Iterator[bytes]", client.scan_iter(match="{p*}:lease:*", count=1_000)))
    if not names:
        return {}
    tokens = cast("list[bytes | None]", client.mget(names))
    return {name.decode(): token for name, token in zip(names, tokens, strict=True) if token is not None}


def wait(client: "redis.Redis", *, most: float = MOST_SECONDS, told: Callable[[int], None] = lambda left: None) -> bool:
    """Whether all leases in force now have ended in time. Raises redis.RedisError."""
    before = held(client)
    end = time.monotonic() + most
    while before:
        now = held(client)
        before = {name: token for name, token in before.items() if now.get(name) == token}
        told(len(before))
        if before and time.monotonic() >= end:
            return False
        if before:
            time.sleep(LOOK_EVERY)
    return True
