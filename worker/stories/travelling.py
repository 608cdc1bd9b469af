"""What a destination has not finished with in a stream: entries by number, and messages that come from another line."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import redis

from worker import keys
from worker.entryids import order_of
from worker.groups import groups_of
from worker.story import sortable

LOOK_AT = 1_000
"""Entries of one question."""

READ_AT_ONCE = 200
"""Of entries that bring their messages along."""

Numbers = frozenset[int] | None
"""Of messages in an entry; None: all of them."""

Rows = list[tuple[bytes, dict[bytes, bytes]]]


def entry_of(entry_id: bytes) -> str:
    """What all sortable positions of the entry begin with."""
    return sortable(entry_id.decode()).partition("/")[0]


def unfinished(client: "redis.Redis", partition: int, line: str, destination: str) -> dict[bytes, Numbers]:
    """The entries that were given to the destination, and the numbers of their messages that it has not finished."""
    # Asked first: what is finished in between takes its numbers along, and would pass for an untouched entry.
    left = cast(dict[bytes, bytes], client.hgetall(keys.left(partition, line, destination)))
    return {
        entry_id: frozenset(map(int, left[entry_id].split(b","))) if entry_id in left else None
        for entry_id in _given(client, keys.log(partition, line), destination)
    }


def _given(client: "redis.Redis", stream: str, destination: str) -> Iterator[bytes]:
    start = "-"
    while True:
        try:
            rows = cast(list[dict[str, Any]], client.xpending_range(stream, destination, start, "+", LOOK_AT))
        except redis.exceptions.ResponseError:  # the group has gone meanwhile
            return
        yield from (row["message_id"] for row in rows)
        if len(rows) < LOOK_AT:
            return
        start = f"({rows[-1]['message_id'].decode()}"


def travelling(client: "redis.Redis", partition: int, line: str, destination: str, origin: str) -> Iterator[str]:
    """The sortable positions, in the line `origin`, of what `line` brings to the destination from there."""
    stream = keys.log(partition, line)
    group = groups_of(client, stream).get(destination)
    if group is None:
        return
    read_to: bytes = group["last-delivered-id"]
    given = unfinished(client, partition, line, destination)
    start = min(given, key=order_of).decode() if given else f"({read_to.decode()}"
    for entry_id, fields in _entries(client, stream, start):
        numbers = None if order_of(entry_id) > order_of(read_to) else given.get(entry_id, frozenset())
        if fields.get(b"l", b"").decode() == origin:
            yield from _wanted(fields[b"o"].decode().split(), numbers)


def _wanted(positions: Sequence[str], numbers: Numbers) -> Iterator[str]:
    return (sortable(position) for n, position in enumerate(positions) if numbers is None or n in numbers)


def _entries(client: "redis.Redis", stream: str, start: str) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    while True:
        rows = cast(Rows, client.xrange(stream, min=start, count=READ_AT_ONCE))
        yield from rows
        if len(rows) < READ_AT_ONCE:
            return
        start = f"({rows[-1][0].decode()}"
