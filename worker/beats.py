"""Signs of life: each process of Turnout writes down every few seconds that it is there."""

from typing import cast

import msgspec
import redis

from worker import keys

EVERY = 3.0


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A process, and how long ago it last gave a sign of life."""

    name: str
    role: str
    host: str
    pid: int
    at_ms: int
    age_s: float
    version: str = ""
    config: str = ""
    note: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A beat as it is stored."""

    role: str
    host: str
    pid: int
    at_ms: int
    version: str = ""
    config: str = ""
    """The version of the configuration that the process works with."""
    note: str = ""
    """What somebody should know of it."""


def read(client: "redis.Redis") -> list[Beat]:
    """All processes that were not stopped in good order. Raises redis.RedisError."""
    seconds, microseconds = client.time()
    now = seconds * 1000 + microseconds // 1000
    found = cast(dict[bytes, bytes], client.hgetall(keys.BEATS))
    beats = [(name.decode(), msgspec.json.decode(text, type=Written)) for name, text in sorted(found.items())]
    return [
        Beat(name=name, age_s=max(0, now - beat.at_ms) / 1000, **msgspec.structs.asdict(beat)) for name, beat in beats
    ]


def beat(client: "redis.Redis", name: str, sign: Written) -> None:
    """Write a sign of life; its time is the server's. Raises redis.RedisError."""
    seconds, microseconds = client.time()
    timed = msgspec.structs.replace(sign, at_ms=seconds * 1000 + microseconds // 1000)
    client.hset(keys.BEATS, name, msgspec.json.encode(timed))


def stop(client: "redis.Redis", name: str) -> None:
    """The process ends in good order. Raises redis.RedisError."""
    client.hdel(keys.BEATS, name)
