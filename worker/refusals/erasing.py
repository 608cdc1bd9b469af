"""Take a person out of the quarantine: what they sent is deleted, and what nobody can read but names them, too."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Engine, delete, select

from destinations.sql.engine import reading, writing
from worker.database.tables import REFUSALS as T
from worker.forgetting.person import Mention, Person, named_in

AT_ONCE = 500


def erase(engine: Engine, person: Person) -> int:
    """How many. Raises DatabaseAway."""
    gone = 0
    for numbers in _of_person(engine, person):
        if numbers:
            with writing(engine) as connection:
                connection.execute(delete(T).where(T.c.id.in_([row.id for row in numbers])))
        gone += len(numbers)
    return gone


def of_person(engine: Engine, person: Person) -> Iterator[dict[str, Any]]:
    """Everything of the person that was refused, by column."""
    for rows in _of_person(engine, person):
        yield from (dict(row._mapping) for row in rows)


def owns(person: Person, mention: Mention, kind: str, raw: bytes) -> bool:
    """Whether what a client sent is the person's."""
    if not person.ids.isdisjoint(named_in(raw)):
        return True
    return (kind == "body" or not _readable(raw)) and mention.is_in(raw.decode(errors="replace"))


def _of_person(engine: Engine, person: Person) -> Iterator[list[Any]]:
    mention, after = Mention(person), 0
    while True:
        with reading(engine) as connection:
            rows = list(connection.execute(select(T).where(T.c.id > after).order_by(T.c.id).limit(AT_ONCE)))
        if not rows:
            return
        after = rows[-1].id
        yield [row for row in rows if owns(person, mention, row.kind, row.raw)]


def _readable(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
