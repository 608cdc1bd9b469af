"""Turn passages into rows: each row says of a span of a line that all of its messages met the same fate. Pure.

A passage may say "all but these": it becomes spans around the exceptions, so that a row is true by itself. What was
delivered at once, passage after passage, becomes one row.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from destinations.outcome import Exchange
from worker.story import Part, Passage, sortable

WIDEST_MS = 5_000
"""How far apart in time two deliveries may be that become one row: `where` tells no time more exactly than this."""

Span = tuple[str, str]
"""The first and the last position, as `worker.story.sortable` writes them; both included."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Every message of the line from `first` to `last` met this fate at this destination."""

    partition: int
    line: str
    destination: str
    fate: str
    attempt: int
    first: str
    last: str
    at_ms: int
    until_ms: int
    """The last moment that the row tells of; `at_ms` is the first."""
    took_ms: int
    reason: str
    code: str
    due_ms: int
    owner: str
    exchange: Exchange | None
    """The rows of one part share it: it was said of one of their messages."""


def rows_of(partition: int, passages: Iterable[Passage]) -> list[Row]:
    """The rows of consecutive passages of a partition."""
    rows: list[Row] = []
    open_rows: dict[tuple[str, str], int] = {}
    for passage in passages:
        key = (passage.line, passage.destination)
        at = open_rows.pop(key, None)
        new = list(_rows(partition, passage))
        if _plain(passage):
            if at is not None and _continues(rows[at], new[0]):
                rows[at] = _joined(rows[at], new[0])
                open_rows[key] = at
                continue
            open_rows[key] = len(rows)
        rows += new
    return rows


def _plain(passage: Passage) -> bool:
    """A whole span of messages, delivered at the first attempt."""
    match passage.parts:
        case (Part(fate="delivered", attempt=1, reason="", positions=None, exchange=None),):
            return bool(passage.first)
    return False


def _continues(row: Row, after: Row) -> bool:
    # Nothing lies between two plain passages of a line in a row: a read begins where the one before it ended, and
    # what a lost lease left in between is settled, and told, before anything newer is read.
    return row.last < after.first and 0 <= after.until_ms - row.at_ms <= WIDEST_MS


def _joined(row: Row, after: Row) -> Row:
    return msgspec.structs.replace(
        row,
        last=after.last,
        until_ms=after.until_ms,
        took_ms=max(row.took_ms, after.took_ms),
        owner=row.owner if row.owner == after.owner else "",
    )


def _rows(partition: int, passage: Passage) -> Iterator[Row]:
    named = sorted(sortable(position) for part in passage.parts for position in part.positions or ())
    for part in passage.parts:
        for span in _spans(passage, part, named):
            yield _row(partition, passage, part, span)


def _spans(passage: Passage, part: Part, named: Sequence[str]) -> Iterator[Span]:
    if part.positions is not None:
        return _runs(sorted(map(sortable, part.positions)))
    return _around(sortable(passage.first), sortable(passage.last), named) if passage.first else iter(())


def _row(partition: int, passage: Passage, part: Part, span: Span) -> Row:
    return Row(
        partition=partition,
        line=passage.line,
        destination=passage.destination,
        fate=part.fate,
        attempt=part.attempt,
        first=span[0],
        last=span[1],
        at_ms=passage.at_ms,
        until_ms=passage.at_ms,
        took_ms=passage.took_ms,
        reason=part.reason,
        code=part.code,
        due_ms=part.due_ms,
        owner=passage.owner,
        exchange=part.exchange,
    )


def _runs(positions: Sequence[str]) -> Iterator[Span]:
    """Neighbours in one entry together: between two entries there might be a third."""
    start = end = ""
    for position in positions:
        if end and position == _next(end):
            end = position
            continue
        if end:
            yield start, end
        start = end = position
    if end:
        yield start, end


def _around(first: str, last: str, named: Sequence[str]) -> Iterator[Span]:
    """What is left of a span without these positions of it."""
    start = first
    for position in named:
        if not start <= position <= last:
            continue
        if start < position:
            yield start, _before(position)
        start = _next(position)
    if start <= last:
        yield start, last


def _next(position: str) -> str:
    """The position that would come next in its entry. It may not exist, but nothing lies between the two."""
    entry, _, number = position.rpartition("/")
    return f"{entry}/{int(number) + 1:05d}"


def _before(position: str) -> str:
    """The end of what comes before: the neighbour in the entry, or all that the entries before may hold."""
    entry, _, number = position.rpartition("/")
    if int(number):
        return f"{entry}/{int(number) - 1:05d}"
    time, _, sequence = entry.partition("-")
    if int(sequence):
        return f"{time}-{int(sequence) - 1:010d}/99999"
    return f"{int(time) - 1:015d}-9999999999/99999"
