"""Signs of life: every process of Turnout says every few seconds that it is there, and what it is."""

import os
import socket
from collections.abc import Iterable
from importlib.metadata import version

import msgspec
import redis

from worker import keys

EVERY = 3.0
"""Seconds between two signs."""

FORGET_AFTER = 86_400.0
"""A process that was silent for so long is not coming back under that name."""


class Beat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One process, as it described itself. `name` is unique to its life."""

    role: str
    host: str
    pid: int
    at_ms: int
    version: str
    config: str
    note: str = ""
    """What somebody should know of it."""
    name: str = ""
    age: float = 0.0
    """Seconds since, when it was read."""


def sign(role: str, config: str, *, note: str = "") -> Beat:
    """What this process has to say; `config` is the version of its configuration."""
    return Beat(
        role=role,
        host=socket.gethostname(),
        pid=os.getpid(),
        at_ms=0,
        version=version("turnout"),
        config=config,
        note=note,
    )


def give(client: "redis.Redis", name: str, beat: Beat) -> None:
    """Be seen to live. Raises redis.RedisError."""
    now = msgspec.structs.replace(beat, at_ms=_server_ms(client))
    client.hset(keys.BEATS, name, msgspec.json.encode(now))


def remove(client: "redis.Redis", names: Iterable[str]) -> None:
    """These have ended, and somebody knows."""
    known = list(names)
    if known:
        client.hdel(keys.BEATS, *known)


def read(client: "redis.Redis") -> list[Beat]:
    """All processes, by role and name. Those silent for a day are dropped."""
    pipe = client.pipeline(transaction=False)
    pipe.time()
    pipe.hgetall(keys.BEATS)
    (seconds, microseconds), found = pipe.execute()
    now_ms = seconds * 1000 + microseconds // 1000
    beats = [beat_of(name.decode(), text, now_ms) for name, text in found.items()]
    remove(client, [beat.name for beat in beats if beat.age > FORGET_AFTER])
    return sorted((beat for beat in beats if beat.age <= FORGET_AFTER), key=lambda beat: (beat.role, beat.name))


def beat_of(name: str, text: bytes, now_ms: int) -> Beat:
    """What is stored under a name. What cannot be read is a process that has been silent for ever."""
    try:
        beat = msgspec.json.decode(text, type=Beat)
    except msgspec.MsgspecError:
        beat = Beat(role="unknown", host="", pid=0, at_ms=0, version="", config="")
    return msgspec.structs.replace(beat, name=name, age=max(0.0, (now_ms - beat.at_ms) / 1000))


def silent(beats: Iterable[Beat], silence: float) -> list[Beat]:
    """Those that gave no sign for more than so many seconds."""
    return [beat for beat in beats if beat.age > silence]


def _server_ms(client: "redis.Redis") -> int:
    seconds, microseconds = client.time()
    return int(seconds * 1000 + microseconds // 1000)
