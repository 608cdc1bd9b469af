"""The dead letters as people ask for them: listed, grouped by cause, one in full, discarded."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, func, select, update

from destinations.sql.engine import reading, writing
from worker.database.tables import DEAD_LETTERS as T
from worker.letters.record import facts_of, indexable

State = Literal["dead", "retrying", "retried", "discarded"]

AT_ONCE = 1_000
DONE = ("retried", "discarded")
"""What somebody has dealt with; the others stay until somebody does."""
KEPT_MS = 30 * 86_400_000
"""How long a letter that somebody has dealt with can still be looked at."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters: all that fit every field that is set."""

    ids: tuple[int, ...] = ()
    destination: str | None = None
    source: str | None = None
    code: str | None = None
    cause: str | None = None
    event: str | None = None
    user: str | None = None
    message_id: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    state: State | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dead letter, as it is shown. `message` is what would be sent again."""

    id: int
    state: State
    source: str
    destination: str
    message_id: str
    type: str
    event: str
    user: str
    reason: str
    code: str
    cause: str
    cause_id: str
    attempts: int
    first_failed_at_ms: int
    died_at_ms: int
    received_at: str
    line: str
    partition: int
    position: str
    retries: int
    edited: bool
    state_at_ms: int
    discard_reason: str
    trail: list[dict[str, Any]]
    request: str
    answer: str
    message: msgspec.Raw


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Letters of one destination that died of the same cause."""

    destination: str
    code: str
    cause_id: str
    cause: str
    letters: int
    first_died_at_ms: int
    last_died_at_ms: int


def count(engine: Engine, wanted: Wanted) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(T).where(*conditions(wanted))).scalar_one()


def newest(engine: Engine, wanted: Wanted, most: int) -> list[Letter]:
    with reading(engine) as connection:
        rows = connection.execute(_ordered(wanted).limit(most)).mappings()
        return [_letter(dict(row)) for row in rows]


def every(engine: Engine, wanted: Wanted) -> Iterator[Letter]:
    """All of them, the newest first, without having all in memory."""
    with reading(engine) as connection:
        ids = connection.execute(select(T.c.id).where(*conditions(wanted)).order_by(T.c.died_at.desc(), T.c.id.desc()))
        numbers = list(ids.scalars())
    for start in range(0, len(numbers), AT_ONCE):
        yield from newest(engine, Wanted(ids=tuple(numbers[start : start + AT_ONCE])), AT_ONCE)


def one(engine: Engine, number: int) -> Letter | None:
    return next(iter(newest(engine, Wanted(ids=(number,)), 1)), None)


def groups(engine: Engine, wanted: Wanted) -> list[Group]:
    """The largest first."""
    by = (T.c.destination, T.c.code, T.c.cause_id)
    number = func.count().label("letters")
    asked = select(*by, func.min(T.c.cause), number, func.min(T.c.died_at), func.max(T.c.died_at))
    with reading(engine) as connection:
        rows = connection.execute(asked.where(*conditions(wanted)).group_by(*by).order_by(number.desc(), *by))
        return [Group(**dict(zip(Group.__struct_fields__, _grouped(row), strict=True))) for row in rows]


def discard(engine: Engine, wanted: Wanted, *, reason: str, now_ms: int) -> int:
    """Let go of those that are dead; how many. They can still be looked at for a while."""
    values = {"state": "discarded", "state_at": now_ms, "discard_reason": reason}
    with writing(engine) as connection:
        done = connection.execute(update(T).where(*conditions(wanted), T.c.state == "dead").values(values))
        return done.rowcount


def edit(engine: Engine, number: int, body: bytes, *, now_ms: int) -> bool:
    """Put another message in its place; False when the letter is not dead (any more)."""
    values = {"body": body, "edited": True, "state_at": now_ms, **facts_of(body)}
    with writing(engine) as connection:
        return connection.execute(update(T).where(T.c.id == number, T.c.state == "dead").values(values)).rowcount == 1


def drop_old(engine: Engine, *, now_ms: int) -> int:
    """Forget those that somebody dealt with long ago; how many."""
    old = select(T.c.id).where(T.c.state.in_(DONE), T.c.state_at < now_ms - KEPT_MS).limit(AT_ONCE)
    dropped = 0
    while True:
        with writing(engine) as connection:
            gone = connection.execute(delete(T).where(T.c.id.in_(old))).rowcount
        dropped += gone
        if gone < AT_ONCE:
            return dropped


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    texts = {
        T.c.destination: wanted.destination,
        T.c.source: wanted.source,
        T.c.code: wanted.code,
        T.c.cause_id: wanted.cause,
        T.c.event: None if wanted.event is None else indexable(wanted.event),
        T.c.user: None if wanted.user is None else indexable(wanted.user),
        T.c.message_id: wanted.message_id,
        T.c.state: wanted.state,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in texts.items() if value is not None]
    if wanted.ids:
        found.append(T.c.id.in_(wanted.ids))
    if wanted.since_ms is not None:
        found.append(T.c.died_at >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(T.c.died_at < wanted.until_ms)
    return found


def in_order(connection: Connection, wanted: Wanted) -> list[int]:
    """Their numbers, in the order in which the messages once came in."""
    asked = select(T.c.id).where(*conditions(wanted)).order_by(T.c.received_at, T.c.position, T.c.id)
    return list(connection.execute(asked).scalars())


def _ordered(wanted: Wanted) -> Select[Any]:
    return select(T).where(*conditions(wanted)).order_by(T.c.died_at.desc(), T.c.id.desc())


def _grouped(row: Sequence[Any]) -> tuple[Any, ...]:
    destination, code, cause_id, cause, letters, first, last = row
    return (destination, code, cause_id, cause, letters, first, last)


def _letter(row: dict[str, Any]) -> Letter:
    body: bytes = row.pop("body")
    return Letter(
        **{name: row[name] for name in Letter.__struct_fields__ if name in row and name != "trail"},
        first_failed_at_ms=row["first_failed_at"],
        died_at_ms=row["died_at"],
        state_at_ms=row["state_at"],
        trail=msgspec.json.decode(row["trail"]),
        message=msgspec.Raw(_json(body)),
    )


def _json(body: bytes) -> bytes:
    """The body if it is JSON; what cannot be read is shown as text."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.encode(body.decode(errors="replace"))
    return body
