"""Whether a destination takes messages at present, as all partitions and processes know it."""

import time
from typing import Any, cast

import msgspec
import redis

from worker import keys

PROBE_MS = 30_000


class Closed(msgspec.Struct, frozen=True):
    """All is well."""


class Waiting(msgspec.Struct, frozen=True):
    """The destination is out; nobody tries it before `until_ms`."""

    until_ms: int
    reason: str


class Probing(msgspec.Struct, frozen=True):
    """The destination is out, and whoever was told this may try it, a little."""

    attempts: int


View = Closed | Waiting | Probing


class Breaker:
    """One for all destinations. Raises redis.RedisError."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def look(self, destination: str) -> View:
        found = cast(dict[bytes, bytes], self._client.hgetall(keys.out(destination)))
        if not found:
            return Closed()
        now = _now_ms()
        until = max(int(found[b"until"]), int(found.get(b"probing", 0)))
        if until > now or found[b"scope"] == b"settings":
            return Waiting(until, found[b"reason"].decode())
        self._client.hset(keys.out(destination), "probing", now + PROBE_MS)
        return Probing(int(found[b"attempts"]))

    def failed(self, destination: str, *, attempts: int, pause_ms: int, reason: str, scope: str) -> None:
        now = _now_ms()
        values: dict[Any, Any] = {
            "until": now + pause_ms,
            "attempts": attempts + 1,
            "reason": reason,
            "scope": scope,
            "since": now,
        }
        self._client.hset(keys.out(destination), mapping=values)
        self._client.hdel(keys.out(destination), "probing")

    def succeeded(self, destination: str) -> None:
        self._client.delete(keys.out(destination))

    def give_back(self, destination: str) -> None:
        """Let another try."""
        self._client.hdel(keys.out(destination), "probing")

    def deaths(self, destination: str, dead: int, others: int) -> bool:
        return False


def _now_ms() -> int:
    return int(time.time() * 1000)
