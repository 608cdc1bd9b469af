"""Write streams of the log anew without what is to be forgotten, while everybody goes on working with them.

An entry cannot be changed, and what is deleted stays in the server's memory and file for a while. So a stream is
copied, a few entries at a time, and exchanged in one step that takes over groups, positions and what is in hand.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import redis

from worker import keys, scripts
from worker.errors import WorkerError

AT_ONCE = 200
"""Entries of one step."""
MOST_BEHIND = 100
"""So many entries may be copied unseen in the step that exchanges the streams; they came after the last look."""
COPY_MS = 600_000
MOST_TURNS = 20

Rows = list[tuple[bytes, dict[bytes, bytes]]]

Replace = Callable[[Sequence[bytes]], list[bytes] | None]
"""The messages of an entry as they shall be; None when all stay."""

Place = tuple[int, str, str]
"""partition, line, position"""


class Restless(WorkerError):
    """More comes to a stream than can be copied."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"the stream {stream} is written to faster than it can be written anew: try again later")


def streams(client: "redis.Redis", kind: str) -> list[str]:
    """The keys of all streams of a kind (log, dead, refused, story), also of what is no longer configured."""
    found: set[bytes] = set()
    for pattern in (f"{{p*}}:{kind}:*", f"{{p*}}:{kind}"):
        found.update(cast("Iterator[bytes]", client.scan_iter(match=pattern, count=1_000)))
    return sorted(key.decode() for key in found)


def rewrite(client: "redis.Redis", stream: str, replace: Replace) -> list[Place]:
    """Where the messages stood that were replaced. Raises redis.RedisError, Restless."""
    for _ in range(MOST_TURNS):
        changed = _rewrite_once(client, stream, replace)
        if changed is not None:
            return changed
    raise Restless(stream)


def concerned(client: "redis.Redis", stream: str, replace: Replace) -> bool:
    """Whether it holds something to be replaced."""
    return any(replace(_bodies(fields)) is not None for rows in _pages(client, stream) for _, fields in _full(rows))


def bodies(client: "redis.Redis", stream: str) -> Iterator[bytes]:
    """Every message in it."""
    for rows in _pages(client, stream):
        for _, fields in _full(rows):
            yield from _bodies(fields)


def worn(client: "redis.Redis", stream: str) -> bool:
    """Whether something was taken out of it that the server may still keep beside what is left."""
    about = client.xinfo_stream(stream)
    return 0 < int(about["length"]) < int(about["entries-added"])


def _rewrite_once(client: "redis.Redis", stream: str, replace: Replace) -> list[Place] | None:
    """None: somebody else exchanged it meanwhile, or took something out of it."""
    tag, _, name = stream.partition(":")
    partition = int(tag.strip("{p}"))
    copy, turns = keys.copy(partition, name, secrets.token_hex(6)), keys.turns(partition, name)
    before = (cast("bytes | None", client.get(turns)) or b"0").decode()
    changed: list[Place] = []
    last = "0-0"
    try:
        while True:
            for rows in _pages(client, stream, after=last):
                changed += _copied(client, stream, copy, rows, replace)
                last = rows[-1][0].decode()
            if last == "0-0":
                return []
            ended = scripts.run(client, scripts.EXCHANGE, [stream, copy, turns], [last, before, MOST_BEHIND])
            if ended != -1:
                return None if ended == -2 else changed
    finally:
        client.delete(copy)


def _copied(client: "redis.Redis", stream: str, copy: str, rows: Rows, replace: Replace) -> list[Place]:
    """Where something was replaced in these entries."""
    pairs: list[str | bytes] = []
    places: list[Place] = []
    for entry_id, fields in _full(rows):
        before = _bodies(fields)
        after = replace(before)
        if after is not None:
            pairs += [entry_id.decode(), b"\n".join(after)]
            numbers = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
            places += _places(stream, entry_id.decode(), fields, numbers)
    ends: list[str | bytes | int] = [rows[0][0].decode(), rows[-1][0].decode(), COPY_MS]
    scripts.run(client, scripts.COPY, [stream, copy], [*ends, *pairs])
    return places


def _places(stream: str, entry: str, fields: dict[bytes, bytes], numbers: Sequence[int]) -> Iterator[Place]:
    """In the line that they came from, if that is another."""
    tag, _, line = stream.split(":", 2)
    partition, origin = int(tag.strip("{p}")), fields.get(b"l", b"").decode()
    origins = fields.get(b"o", b"").decode().split()
    for number in numbers:
        yield partition, origin or line, origins[number] if origin else f"{entry}/{number}"


def _bodies(fields: dict[bytes, bytes]) -> list[bytes]:
    return fields[b"m"].split(b"\n")


def _full(rows: Rows) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Those with messages."""
    return ((entry_id, fields) for entry_id, fields in rows if fields.get(b"m"))


def _pages(client: "redis.Redis", stream: str, *, after: str = "0-0") -> Iterator[Rows]:
    while True:
        rows = cast(Rows, client.xrange(stream, min=f"({after}", count=AT_ONCE))
        if not rows:
            return
        yield rows
        after = rows[-1][0].decode()
