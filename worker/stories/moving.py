"""Carry the passages from the log into the database, each of them once, whoever is killed when."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import redis
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from destinations.outcome import Exchange
from destinations.sql.engine import writing
from worker import keys
from worker.config import Config
from worker.database.story_tables import EXCHANGES, PASSAGES, STORY_PROGRESS
from worker.entryids import milliseconds_of, order_of
from worker.stories.rows import Row, rows_of
from worker.story import Passage

AT_ONCE = 5_000
"""Passages of one transaction."""

OVERTAKEN = -1
"""Another mover has just moved the same."""

_BEGINNING = "0-0"

_passage: Callable[[bytes], Passage] = msgspec.json.Decoder(Passage).decode

Entries = Sequence[tuple[bytes, dict[bytes, bytes]]]


class Progress(msgspec.Struct, frozen=True):
    """How far the stream of a partition was moved."""

    stream_id: str = ""
    """"" before the first time."""
    moved: int = 0
    lost_ms: int = 0


def move_stories(client: "redis.Redis", engine: Engine, config: Config) -> int:
    """Move what there is; how many passages. Raises redis.RedisError, DatabaseAway."""
    return sum(_move_all(client, engine, partition) for partition in range(config.log.partitions))


def _move_all(client: "redis.Redis", engine: Engine, partition: int) -> int:
    moved = 0
    while taken := _move_some(client, engine, partition):
        moved += max(0, taken)
    return moved


def _move_some(client: "redis.Redis", engine: Engine, partition: int) -> int:
    """One transaction, and only then the end in the log of what it moved. OVERTAKEN: there may be more."""
    stream = keys.story(partition)
    if not client.exists(stream):
        return 0
    with writing(engine) as connection:
        before = _progress(connection, partition)
        removed = _removed(client, stream)
        entries = cast(Entries, client.xrange(stream, min=f"({before.stream_id or _BEGINNING}", count=AT_ONCE))
        if not entries:
            return 0
        after = _after(before, entries, removed)
        if not _claimed(connection, partition, before, after):
            return OVERTAKEN
        _write(connection, rows_of(partition, [_passage(fields[b"s"]) for _, fields in entries]))
    milliseconds, sequence = order_of(after.stream_id.encode())
    client.xtrim(stream, minid=f"{milliseconds}-{sequence + 1}", approximate=False)
    return len(entries)


def _progress(connection: Connection, partition: int) -> Progress:
    found = connection.execute(select(STORY_PROGRESS).where(STORY_PROGRESS.c.partition == partition)).first()
    return Progress(found.stream_id, found.moved, found.lost_ms) if found else Progress()


def _removed(client: "redis.Redis", stream: str) -> int:
    """How many entries the stream once had and has no longer."""
    about = client.xinfo_stream(stream)
    return int(about["entries-added"]) - int(about["length"])


def _after(before: Progress, entries: Entries, removed: int) -> Progress:
    """Whoever finds more removed than was moved knows that the stream was cut at its length in between."""
    first, last = entries[0][0].decode(), entries[-1][0].decode()
    known = before.moved if before.stream_id else 0
    lost_ms = milliseconds_of(first) if removed > known else before.lost_ms
    return Progress(last, max(removed, known) + len(entries), lost_ms)


def _claimed(connection: Connection, partition: int, before: Progress, after: Progress) -> bool:
    """Note the progress, unless another mover has noted its own since: its rows would stand here twice."""
    values = msgspec.structs.asdict(after)
    if before.stream_id:
        same = (STORY_PROGRESS.c.partition == partition) & (STORY_PROGRESS.c.stream_id == before.stream_id)
        return connection.execute(update(STORY_PROGRESS).where(same).values(values)).rowcount == 1
    try:
        with connection.begin_nested():
            connection.execute(insert(STORY_PROGRESS).values(partition=partition, **values))
    except IntegrityError:
        return False
    return True


def _write(connection: Connection, rows: Sequence[Row]) -> None:
    said: dict[int, int] = {}  # by the identity of an exchange, which rows share, its number
    for row in rows:
        if row.exchange is not None and id(row.exchange) not in said:
            said[id(row.exchange)] = _kept(connection, row.exchange)
    if rows:
        connection.execute(insert(PASSAGES), [_values(row, said.get(id(row.exchange))) for row in rows])


def _kept(connection: Connection, exchange: Exchange) -> int:
    values = {
        "request": _storable(exchange.request),
        "answer": _storable(exchange.answer),
        "took_ms": exchange.took_ms,
    }
    key = connection.execute(insert(EXCHANGES).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _values(row: Row, exchange_id: int | None) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__struct_fields__ if name != "exchange"}
    return values | {"reason": _storable(row.reason), "exchange_id": exchange_id}


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in a text."""
    return text.replace("\0", "\\0")
