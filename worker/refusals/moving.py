"""Move what was refused at the door from the log into the database; the same thing again only counts."""

import itertools
import time
from collections.abc import Iterable, Sequence
from functools import partial

import redis
from sqlalchemy import Connection, Engine, case
from sqlalchemy.dialects import postgresql, sqlite

from worker import keys
from worker.config import Config
from worker.database.tables import REFUSALS as T
from worker.moving import Entry, Stream, every_stream, move
from worker.refusals.record import Row, row_of


def move_refusals(client: "redis.Redis", engine: Engine) -> int:
    """All there are; how many arrivals."""
    return _move(client, engine, every_stream(client, "refused"))


def move_known_refusals(client: "redis.Redis", engine: Engine, config: Config) -> int:
    """Those of the sources that are configured: costs one round trip while there are none."""
    at = itertools.product(range(config.log.partitions), config.sources)
    streams = [Stream(keys.refused(partition, name), partition, name) for partition, name in at]
    return _move(client, engine, streams)


def _move(client: "redis.Redis", engine: Engine, streams: Sequence[Stream]) -> int:
    return move(client, engine, streams, b"record", partial(_store, now_ms=int(time.time() * 1000)))


def _store(connection: Connection, stream: Stream, entries: Sequence[Entry], *, now_ms: int) -> None:
    add(connection, (row_of(record, source=stream.name, now_ms=now_ms) for _, record in entries))


def add(connection: Connection, arrivals: Iterable[Row]) -> None:
    """What was released and is refused once more is held again; what was discarded stays discarded."""
    rows = _collapsed(arrivals)
    if not rows:
        return
    new = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(T)
    came = new.excluded
    changes = {
        "count": T.c.count + came.count,
        "last_at": case((came.last_at > T.c.last_at, came.last_at), else_=T.c.last_at),
        "state": case((T.c.state == "released", "held"), else_=T.c.state),
    }
    # In one order everywhere, or two who move at the same time could wait for each other.
    ordered = sorted(rows, key=lambda row: str(row["digest"]))
    connection.execute(new.on_conflict_do_update(index_elements=["digest"], set_=changes), ordered)


def _collapsed(arrivals: Iterable[Row]) -> list[Row]:
    found: dict[str, Row] = {}
    for row in arrivals:
        before = found.setdefault(row["digest"], row)
        if before is not row:
            before["count"] += 1
            before["last_at"] = max(before["last_at"], row["last_at"])
    return list(found.values())
