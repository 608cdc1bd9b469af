"""Take a person out of the dead letters: of their own only the place stays, of others what quotes them goes."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Engine, bindparam, select, update

from destinations.sql.engine import reading, writing
from worker.database.tables import DEAD_LETTERS as T
from worker.forgetting.person import Mention, Person
from worker.letters.cause import cause_id, cause_of

AT_ONCE = 500

GONE = "(forgotten)"

Place = tuple[int, str, str]
"""partition, line, position"""


def erase(engine: Engine, person: Person) -> tuple[list[Place], int]:
    """Where the person's letters stand, and how many others were cleared of quotations. Raises DatabaseAway."""
    mention = Mention(person)
    places: list[Place] = []
    cleared = 0
    for rows in _pages(engine):
        own = [row for row in rows if _owns(person, mention, row.body)]
        quoting = [row for row in rows if row not in own and _quotes(mention, row)]
        places += [(row.partition, row.line, row.position) for row in own]
        cleared += len(quoting)
        _write(engine, [_emptied(person, row) for row in own], [_cleared(row) for row in quoting])
    return places, cleared


def of_person(engine: Engine, person: Person) -> Iterator[dict[str, Any]]:
    """Every dead letter of the person, by column."""
    mention = Mention(person)
    for rows in _pages(engine):
        yield from (dict(row._mapping) for row in rows if _owns(person, mention, row.body))


def _pages(engine: Engine) -> Iterator[list[Any]]:
    after = 0
    while True:
        with reading(engine) as connection:
            rows = list(connection.execute(select(T).where(T.c.id > after).order_by(T.c.id).limit(AT_ONCE)))
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _owns(person: Person, mention: Mention, body: bytes) -> bool:
    try:
        return person.owns(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return mention.is_in(body.decode(errors="replace"))


def _quotes(mention: Mention, row: Any) -> bool:
    return any(mention.is_in(text) for text in (row.request, row.answer, row.reason, row.trail))


def _emptied(person: Person, row: Any) -> dict[str, Any]:
    state = "discarded" if row.state == "dead" else row.state
    texts = dict.fromkeys(("user", "event", "request", "answer"), "")
    return {
        "key": row.id,
        **texts,
        **_unsaid(row),
        "message_id": person.disguised(row.message_id),
        "type": "forgotten",
        "body": _placeholder(person, row.body),
        "state": state,
        "discard_reason": GONE if state == "discarded" else row.discard_reason,
    }


def _cleared(row: Any) -> dict[str, Any]:
    return {"key": row.id, "request": GONE, "answer": GONE, **_unsaid(row)}


def _unsaid(row: Any) -> dict[str, Any]:
    cause = cause_of(GONE)
    return {"reason": GONE, "cause": cause, "cause_id": cause_id(row.code, cause), "trail": "[]"}


def _placeholder(person: Person, body: bytes) -> bytes:
    try:
        return person.placeholder(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b"{}"


def _write(engine: Engine, *groups: list[dict[str, Any]]) -> None:
    if not any(groups):
        return
    with writing(engine) as connection:
        for rows in filter(None, groups):
            connection.execute(update(T).where(T.c.id == bindparam("key")), rows)
