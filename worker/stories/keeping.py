"""Forget stories in time: deliveries soon, failures late, and all of them sooner when they take too much room."""

import time
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, not_, select, update

from destinations.sql.engine import reading, writing
from worker.config import Config, StorySettings
from worker.database.story_tables import EXCHANGES, PASSAGES, STORY_HORIZON

ROW_BYTES = 320
"""Of a row with its share of the index, as measured; what was said and answered counts as it is."""

AT_ONCE = 5_000
"""Rows of one transaction: it must not keep the mover waiting."""

Kind = Literal["deliveries", "failures"]

_KINDS: tuple[Kind, ...] = ("deliveries", "failures")

# Who was delivered after a failure belongs to the story of that failure.
_DELIVERIES = and_(PASSAGES.c.fate.in_(("delivered", "filtered")), PASSAGES.c.attempt == 1)


def forget(engine: Engine, config: Config, *, now_ms: int | None = None) -> int:
    """The duty: drop what is too old or too much; how many rows. Raises DatabaseAway."""
    now = int(time.time() * 1000) if now_ms is None else now_ms
    return _too_old(engine, config.story, now) + _too_much(engine, config.story)


def horizon(connection: Connection, kind: Kind) -> int:
    """Since when (ms) all rows of a kind are still here; 0: since ever."""
    found = connection.execute(select(STORY_HORIZON.c.since_ms).where(STORY_HORIZON.c.kind == kind)).scalar()
    return int(found or 0)


def size(connection: Connection) -> int:
    """About how many bytes the stories take."""
    rows = connection.execute(select(func.count()).select_from(PASSAGES)).scalar() or 0
    said = func.length(EXCHANGES.c.request) + func.length(EXCHANGES.c.answer)
    texts = connection.execute(select(func.sum(said))).scalar() or 0
    return int(rows) * ROW_BYTES + int(texts)


def _too_old(engine: Engine, settings: StorySettings, now_ms: int) -> int:
    dropped = 0
    for kind, kept in zip(_KINDS, (settings.deliveries, settings.failures), strict=True):
        before_ms = now_ms - int(kept * 1000)
        while some := _drop(engine, kind, PASSAGES.c.until_ms < before_ms):
            dropped += some
    return dropped


def _too_much(engine: Engine, settings: StorySettings) -> int:
    """The oldest deliveries first; failures only when no delivery is left."""
    dropped = 0
    for kind in _KINDS:
        while _surplus(engine, settings) > 0 and (some := _drop(engine, kind)):
            dropped += some
    return dropped


def _surplus(engine: Engine, settings: StorySettings) -> int:
    with reading(engine) as connection:
        return size(connection) - settings.most_bytes


def _drop(engine: Engine, kind: Kind, *which: ColumnElement[bool]) -> int:
    """The oldest rows of a kind, up to so many; how many there were."""
    wanted = _DELIVERIES if kind == "deliveries" else not_(_DELIVERIES)
    oldest = select(PASSAGES.c.id, PASSAGES.c.until_ms, PASSAGES.c.exchange_id).where(wanted, *which)
    with writing(engine) as connection:
        rows = connection.execute(oldest.order_by(PASSAGES.c.id).limit(AT_ONCE)).all()
        if not rows:
            return 0
        connection.execute(delete(PASSAGES).where(PASSAGES.c.id.in_([row.id for row in rows])))
        said = [row.exchange_id for row in rows if row.exchange_id is not None]
        needed = select(PASSAGES.c.id).where(PASSAGES.c.exchange_id == EXCHANGES.c.id).exists()
        connection.execute(delete(EXCHANGES).where(EXCHANGES.c.id.in_(said), not_(needed)))
        _note(connection, kind, max(row.until_ms for row in rows) + 1)
    return len(rows)


def _note(connection: Connection, kind: Kind, since_ms: int) -> None:
    same = STORY_HORIZON.c.kind == kind
    later = update(STORY_HORIZON).where(same, STORY_HORIZON.c.since_ms < since_ms).values(since_ms=since_ms)
    if connection.execute(later).rowcount == 0 and not horizon(connection, kind):
        connection.execute(insert(STORY_HORIZON).values(kind=kind, since_ms=since_ms))
