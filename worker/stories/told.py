"""Ask the database what was told of messages."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, Select, select

from destinations.outcome import Exchange
from worker.database.story_tables import EXCHANGES, PASSAGES, STORY_PROGRESS
from worker.lines import line_of

ENDS = ("delivered", "filtered", "dead")
"""The fates after which nothing more happens to a message at a destination, unless its dead letter is sent again."""

AT_ONCE = 2_000


class Span(msgspec.Struct, frozen=True):
    """All messages from `first` to `last` met this end."""

    first: str
    last: str
    fate: str
    until_ms: int
    number: int = 0
    """The later it was told, the higher."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Something that happened to a message at a destination."""

    fate: str
    attempt: int
    at_ms: int
    until_ms: int
    """The same as `at_ms` where the moment is known; else it was between the two."""
    took_ms: int = 0
    reason: str = ""
    code: str = ""
    due_ms: int = 0
    by: str = ""
    """The worker."""
    exchange: Exchange | None = None
    """What was said: to this message, or to another one of its batch."""


def ends(connection: Connection, partition: int, line: str, destination: str, *, since: str = "") -> Iterator[Span]:
    """The ends that a line's messages met, by position; those from `since` on."""
    columns = select(PASSAGES.c.first, PASSAGES.c.last, PASSAGES.c.fate, PASSAGES.c.until_ms, PASSAGES.c.id)
    found = (
        _of(columns, partition, line, destination)
        .where(PASSAGES.c.fate.in_(ENDS), PASSAGES.c.last >= since)
        .order_by(PASSAGES.c.first)
    )
    with connection.execution_options(yield_per=AT_ONCE).execute(found) as rows:
        for row in rows:
            yield Span(row.first, row.last, row.fate, row.until_ms, row.id)


def replays(connection: Connection, partition: int, source: str, position: str) -> list[str]:
    """The lines of the replays that brought the message to a destination once more; `position` is sortable."""
    found = (
        select(PASSAGES.c.line)
        .distinct()
        .where(PASSAGES.c.partition == partition, PASSAGES.c.line.startswith(f"{source}~", autoescape=True))
        .where(PASSAGES.c.first <= position, PASSAGES.c.last >= position)
        .order_by(PASSAGES.c.line)
    )
    return [line for line in connection.execute(found).scalars() if line_of(line).replay]


def steps(connection: Connection, partition: int, line: str, destination: str, position: str) -> tuple[Step, ...]:
    """What happened to one message, in this order; `position` is sortable."""
    columns = select(PASSAGES, EXCHANGES.c.request, EXCHANGES.c.answer, EXCHANGES.c.took_ms.label("said_ms"))
    found = (
        _of(columns, partition, line, destination)
        .outerjoin_from(PASSAGES, EXCHANGES, PASSAGES.c.exchange_id == EXCHANGES.c.id)
        .where(PASSAGES.c.first <= position, PASSAGES.c.last >= position)
        .order_by(PASSAGES.c.id)
    )
    return tuple(
        Step(
            fate=row.fate,
            attempt=row.attempt,
            at_ms=row.at_ms,
            until_ms=row.until_ms,
            took_ms=row.took_ms,
            reason=row.reason,
            code=row.code,
            due_ms=row.due_ms,
            by=row.owner,
            exchange=None if row.request is None else Exchange(row.request, row.answer, row.said_ms),
        )
        for row in connection.execute(found)
    )


def lost_ms(connection: Connection, partition: int) -> int:
    """Until when some passages of a partition never reached the database; 0 if all did."""
    asked = select(STORY_PROGRESS.c.lost_ms).where(STORY_PROGRESS.c.partition == partition)
    return int(connection.execute(asked).scalar() or 0)


def destinations_of(connection: Connection, partition: int, line: str, position: str) -> Sequence[str]:
    """The destinations at which something is told of a message, by name; `position` is sortable."""
    asked = select(PASSAGES.c.destination).where(
        PASSAGES.c.partition == partition,
        PASSAGES.c.line == line,
        PASSAGES.c.first <= position,
        PASSAGES.c.last >= position,
    )
    return list(connection.execute(asked.distinct().order_by(PASSAGES.c.destination)).scalars())


def _of(
    columns: "Select[tuple[object, ...]]", partition: int, line: str, destination: str
) -> "Select[tuple[object, ...]]":
    return columns.where(
        PASSAGES.c.partition == partition, PASSAGES.c.line == line, PASSAGES.c.destination == destination
    )
