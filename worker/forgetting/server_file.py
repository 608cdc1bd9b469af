"""Have the log server write its file on disk anew: what was deleted from its memory stays in there until then."""

import time
from typing import cast

import redis

LOOK_EVERY = 0.05
MOST_SECONDS = 300.0


def rewrite(client: "redis.Redis", *, most: float = MOST_SECONDS) -> str:
    """Why it still holds what was there; "" when it does not. Raises redis.RedisError."""
    if not _info(client)["aof_enabled"]:
        return _saved(client)
    end = time.monotonic() + most
    _asked(client, end)
    while _busy(client):
        if time.monotonic() >= end:
            return "the log server is still writing its file anew"
        time.sleep(LOOK_EVERY)
    done = str(_info(client).get("aof_last_bgrewrite_status", "ok")) == "ok"
    return "" if done else "the log server could not write its file anew"


def _asked(client: "redis.Redis", end: float) -> None:
    """Begin, once nobody else's rewrite is under way: that one may have begun before the last message went."""
    while _busy(client) and time.monotonic() < end:
        time.sleep(LOOK_EVERY)
    client.bgrewriteaof()


def _busy(client: "redis.Redis") -> bool:
    found = _info(client)
    return bool(found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"])


def _saved(client: "redis.Redis") -> str:
    """A server without that file has a snapshot, perhaps."""
    if not cast("dict[str, str]", client.config_get("save")).get("save"):
        return ""
    client.save()
    return ""


def _info(client: "redis.Redis") -> dict[str, int]:
    return cast("dict[str, int]", client.info("persistence"))
