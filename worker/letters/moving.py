"""Move dead letters from the log into the database."""

import itertools
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import redis
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from worker import keys
from worker.config import Config
from worker.database.tables import DEAD_LETTERS as T
from worker.letters.record import Row, again, row_of
from worker.lines import RETRY, line_of
from worker.moving import Entry, Stream, every_stream, move


def move_letters(client: "redis.Redis", engine: Engine) -> int:
    """All there are; how many. A letter of a message that was sent again and died once more is the same letter."""
    return _move(client, engine, every_stream(client, "dead"))


def move_known_letters(client: "redis.Redis", engine: Engine, config: Config) -> int:
    """Those of the destinations that are configured: costs one round trip while there are none."""
    at = itertools.product(range(config.log.partitions), config.destinations)
    streams = [Stream(keys.dead(partition, name), partition, name) for partition, name in at]
    return _move(client, engine, streams)


def _move(client: "redis.Redis", engine: Engine, streams: Sequence[Stream]) -> int:
    return move(client, engine, streams, b"letter", partial(_store, now_ms=int(time.time() * 1000)))


def _store(connection: Connection, stream: Stream, entries: Sequence[Entry], *, now_ms: int) -> None:
    rows = [
        row_of(record, partition=stream.partition, destination=stream.name, entry=entry_id, now_ms=now_ms)
        for entry_id, record in entries
    ]
    if not rows:
        return
    known = _Known(connection, rows)
    fresh: dict[tuple[Any, ...], Row] = {}
    changed: list[Row] = []
    for row in rows:
        before = known.same(row)
        if before is None:
            fresh[_place(row)] = row
        else:
            changed.append({"key": before["id"], **again(before, row)})
    if fresh:
        connection.execute(insert(T), list(fresh.values()))
    if changed:
        connection.execute(update(T).where(T.c.id == bindparam("key")), changed)


class _Known:
    """The letters that the database has of some messages."""

    def __init__(self, connection: Connection, rows: Sequence[Row]) -> None:
        names = {row["message_id"] for row in rows}
        wanted = select(T).where(T.c.destination == rows[0]["destination"], T.c.message_id.in_(names))
        found = [dict(each) for each in connection.execute(wanted.order_by(T.c.state_at)).mappings()]
        self._by_place = {_place(each): each for each in found}
        self._sent_again = {
            (each["source"], each["message_id"]): each for each in found if each["state"] in ("retrying", "retried")
        }

    def same(self, row: Row) -> Row | None:
        """What died in the same place; else, in the retry line, what was sent there from another partition."""
        here = self._by_place.get(_place(row))
        if here or line_of(row["line"]).way != RETRY:
            return here
        # One letter cannot come back twice.
        return self._sent_again.pop((row["source"], row["message_id"]), None)


def _place(row: Row) -> tuple[Any, ...]:
    return (row["destination"], row["partition"], row["line"], row["position"])
