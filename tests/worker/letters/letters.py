"""Dead letters to test with: written as a commit writes them, and a small log that they lie in."""

from typing import Any, cast

import msgspec
import redis
from sqlalchemy import Engine

from tests.worker import rig
from worker import keys
from worker.letters import desk
from worker.letters.desk import Letter, Wanted
from worker.letters.moving import move_letters

PARTITIONS = 4


def letter(name: str, *, number: int = 0, user: str = "u1", source: str = "web", **more: Any) -> bytes:
    """What a commit writes down; `more` in the words of the record."""
    message = msgspec.Raw(rig.body(name, user=user))
    told = {
        "messageId": name,
        "source": source,
        "line": source,
        "destination": "hook",
        "position": f"1700000000000-{number}/0",
        "reason": "answered 400: no",
        "code": "400",
        "attempts": 1,
        "firstFailedAtMs": 1_700_000_000_000,
        "diedAtMs": 1_700_000_000_000 + number,
        "user": user,
        "type": "track",
        "event": "E",
        "receivedAt": "2024-02-29T12:00:00.000Z",
        "trail": [{"atMs": 1_700_000_000_000, "attempt": 1, "reason": "answered 400: no"}],
        "request": "POST /",
        "answer": "400",
        "message": message,
    }
    return msgspec.json.encode({**told, **more})


def bury(client: "redis.Redis", *records: bytes, partition: int = 0) -> None:
    """As a commit does."""
    for record in records:
        found = msgspec.json.decode(record)
        client.xadd(keys.dead(partition, found["destination"]), {"letter": record})
        client.hincrby(keys.count(partition, found["source"]), f"dead:{found['destination']}", 1)


def moved(client: "redis.Redis", engine: Engine, *records: bytes) -> list[Letter]:
    bury(client, *records)
    move_letters(client, engine)
    return everything(engine)


def everything(engine: Engine) -> list[Letter]:
    """The oldest first."""
    return sorted(desk.newest(engine, Wanted(), 1_000_000), key=lambda one: one.id)


def entries(client: "redis.Redis", partition: int, line: str) -> list[dict[bytes, bytes]]:
    rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.log(partition, line)))
    return [fields for _, fields in rows]


def sent_again(client: "redis.Redis", line: str = "web~retry~hook") -> list[str]:
    """Names of the messages that lie in a line."""
    found = []
    for partition in range(PARTITIONS):
        for fields in entries(client, partition, line):
            found += [msgspec.json.decode(body)["messageId"] for body in fields[b"m"].split(b"\n")]
    return found


def dead_count(client: "redis.Redis", source: str = "web") -> int:
    """What the accounts say."""
    counts = [client.hget(keys.count(partition, source), "dead:hook") for partition in range(PARTITIONS)]
    return sum(int(found or 0) for found in counts)
