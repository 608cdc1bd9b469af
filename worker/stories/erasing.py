"""Take a person out of the stories: what was said to a destination about them, and what it answered."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, Select, select, update

from destinations.sql.engine import reading, writing
from worker.database.story_tables import EXCHANGES, PASSAGES
from worker.forgetting.person import Mention

AT_ONCE = 1_000

GONE = "(forgotten)"

Places = Mapping[tuple[int, str], Sequence[str]]
"""By partition and line the sortable positions of the person's messages, rising."""


def erase(engine: Engine, mention: Mention, places: Places) -> int:
    """How many exchanges and reasons were cleared. Raises DatabaseAway."""
    said = {row.id for row in _rows(engine, select(EXCHANGES), EXCHANGES.c.id) if _told(mention, row)}
    quoted = select(PASSAGES).where(PASSAGES.c.exchange_id.is_not(None))
    said |= {row.exchange_id for row in _rows(engine, quoted, PASSAGES.c.id) if _covers(places, row)}
    reasons = select(PASSAGES.c.id, PASSAGES.c.reason).where(PASSAGES.c.reason != "")
    named = {row.id for row in _rows(engine, reasons, PASSAGES.c.id) if mention.is_in(row.reason)}
    _update(engine, EXCHANGES, sorted(said), {"request": GONE, "answer": GONE})
    _update(engine, PASSAGES, sorted(named), {"reason": GONE})
    return len(said) + len(named)


def exchanges_with(engine: Engine, mention: Mention) -> Iterator[dict[str, Any]]:
    """Everything said to destinations that names the person, and what they answered."""
    return (dict(row._mapping) for row in _rows(engine, select(EXCHANGES), EXCHANGES.c.id) if _told(mention, row))


def _told(mention: Mention, row: Any) -> bool:
    return mention.is_in(row.request) or mention.is_in(row.answer)


def _covers(places: Places, row: Any) -> bool:
    positions = places.get((row.partition, row.line), ())
    at = bisect.bisect_left(positions, row.first)
    return at < len(positions) and positions[at] <= row.last


def _rows(engine: Engine, asked: Select[Any], number: Any) -> Iterator[Any]:
    after = 0
    while True:
        with reading(engine) as connection:
            rows = list(connection.execute(asked.where(number > after).order_by(number).limit(AT_ONCE)))
        if not rows:
            return
        yield from rows
        after = rows[-1].id


def _update(engine: Engine, table: Any, numbers: Sequence[int], values: Mapping[str, str]) -> None:
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        with writing(engine) as connection:
            connection.execute(update(table).where(table.c.id.in_(some)).values(values))
