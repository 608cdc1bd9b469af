"""Look up the dead letters that say what became of messages after they had died."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Row, func, select

from worker.audit.proof import Kept
from worker.database.tables import DEAD_LETTERS as T
from worker.letters.resend import partition_now
from worker.lines import RETRY, Line, line_of


def kept(
    connection: Connection, partition: int, line: str, destination: str, positions: Sequence[str], *, partitions: int
) -> Mapping[str, Kept]:
    """The letters of a line's messages, by position, as far as there are some."""
    here = (T.c.partition == partition, T.c.line == line, T.c.destination == destination)
    found = connection.execute(select(T).where(*here, T.c.position.in_(positions)))
    return {row.position: Kept(row.state, row.state_at, row.retries, _away(row, partitions)) for row in found}


def kept_elsewhere(connection: Connection, source: str, destination: str, message_id: str) -> Kept | None:
    """The letter of a message that was sent to another partition, and died there: it took its new place along."""
    there = T.c.line == Line(source, RETRY, destination).name
    row = connection.execute(
        select(T).where(T.c.message_id == message_id, T.c.destination == destination, there, T.c.retries > 0)
    ).first()
    return None if row is None else Kept(row.state, row.state_at, row.retries, away=True)


def strayed(connection: Connection, source: str, *, partitions: int) -> Collection[str]:
    """The destinations to which letters were sent again from another partition: there they count as never dead."""
    rows = connection.execute(select(T).where(T.c.source == source, T.c.edited, T.c.retries > 0))
    return {row.destination for row in rows if line_of(row.line).way == RETRY or _away(row, partitions)}


def sent_again(connection: Connection, partition: int, source: str, destination: str) -> int:
    """How many letters were."""
    here = (T.c.partition == partition, T.c.source == source, T.c.destination == destination)
    return connection.execute(select(func.count()).select_from(T).where(*here, T.c.retries > 0)).scalar_one()


def _away(row: "Row[tuple[object, ...]]", partitions: int) -> bool:
    return bool(row.edited) and row.retries > 0 and partition_now(row.source, row.body, partitions) != row.partition
