"""Move what people look at from streams of the log into the database, each entry once."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import msgspec
import redis
from sqlalchemy import Connection, Engine, select, text, update

from destinations.sql.engine import writing
from worker.database.tables import MOVED

AT_ONCE = 1_000
_NAME = re.compile(r"\{p(\d+)\}:(\w+):(.+)")

Entry = tuple[str, bytes]
"""Its id, and the record that it holds."""


class Stream(msgspec.Struct, frozen=True):
    """One stream of the log, taken apart from its key."""

    key: str
    partition: int
    name: str
    """Of the source or the destination that it is about."""


Store = Callable[[Connection, Stream, Sequence[Entry]], None]


def move(client: "redis.Redis", engine: Engine, streams: Iterable[Stream], field: bytes, store: Store) -> int:
    """Move all that these streams hold; how many entries. Raises redis.RedisError, DatabaseAway.

    Wherever it is interrupted, the next call goes on; several at the same time do no harm.
    """
    return sum(_emptied(client, engine, stream, field, store) for stream in _filled(client, list(streams)))


def every_stream(client: "redis.Redis", kind: str) -> list[Stream]:
    """Those of a kind ("dead", "refused") that there are: also of what is no longer configured. Looks at all keys."""
    keys = sorted(cast("Iterator[bytes]", client.scan_iter(match=f"{{p*}}:{kind}:*", count=1_000)))
    found = (_NAME.fullmatch(key.decode()) for key in keys)
    return [Stream(each[0], int(each[1]), each[3]) for each in found if each is not None]


def _filled(client: "redis.Redis", streams: Sequence[Stream]) -> Iterator[Stream]:
    with client.pipeline(transaction=False) as pipeline:
        for stream in streams:
            pipeline.xlen(stream.key)
        lengths = cast("list[int]", pipeline.execute()) if streams else []
    return (stream for stream, length in zip(streams, lengths, strict=True) if length)


def _emptied(client: "redis.Redis", engine: Engine, stream: Stream, field: bytes, store: Store) -> int:
    moved = 0
    while True:
        with writing(engine) as connection:
            before = _begun(connection, stream)
            # Read only now: whoever moves this stream at the same time waits for the same row.
            entries = _read(client, stream, field)
            fresh = [entry for entry in entries if entry[0] not in before]
            store(connection, stream, fresh)
            _remember(connection, stream, [entry_id for entry_id, _ in entries])
        # Deleted last: after a crash before this line they are found among what was moved.
        if entries:
            client.xdel(stream.key, *(entry_id for entry_id, _ in entries))
        moved += len(fresh)
        if len(entries) < AT_ONCE:
            return moved


def _begun(connection: Connection, stream: Stream) -> frozenset[str]:
    """The ids of what the last step moved, which may not be deleted in the log yet."""
    sql = "INSERT INTO moved (stream, entries) VALUES (:stream, '[]') ON CONFLICT DO NOTHING"
    connection.execute(text(sql), {"stream": stream.key})
    known = select(MOVED.c.entries).where(MOVED.c.stream == stream.key).with_for_update()
    return frozenset(msgspec.json.decode(connection.execute(known).scalar_one()))


def _remember(connection: Connection, stream: Stream, ids: Sequence[str]) -> None:
    entries = msgspec.json.encode(ids).decode()
    connection.execute(update(MOVED).where(MOVED.c.stream == stream.key).values(entries=entries))


def _read(client: "redis.Redis", stream: Stream, field: bytes) -> list[Entry]:
    rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(stream.key, count=AT_ONCE))
    return [(entry_id.decode(), fields[field]) for entry_id, fields in rows]
