"""What was refused as people ask for it: listed, grouped by rule, one in full, discarded."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, delete, func, select, update

from destinations.sql.engine import reading, writing
from schemas.errors import Violation
from worker.database.tables import REFUSALS as T
from worker.refusals.moving import add
from worker.refusals.record import Row

State = Literal["held", "released", "discarded"]

KEPT_MS = 30 * 86_400_000
"""What did not come again for so long is forgotten, whatever its state."""
AT_ONCE = 1_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which ones: all that fit every field that is set."""

    ids: tuple[int, ...] = ()
    source: str | None = None
    rule: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    state: State | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a client sent, how often, and what is wrong with it."""

    id: int
    state: State
    source: str
    kind: Literal["message", "body"]
    path: str
    raw: bytes
    size: int
    violations: tuple[Violation, ...]
    rule: str
    wrong: str
    message_id: str
    type: str
    event: str
    user: str
    count: int
    received_at_ms: int
    last_at_ms: int
    state_at_ms: int
    edited: bool
    discard_reason: str
    digest: str


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a source sent that breaks the same rule first."""

    source: str
    rule: str
    wrong: str
    """In words, one of them."""
    refusals: int
    arrivals: int
    first_at_ms: int
    last_at_ms: int


class Ending(msgspec.Struct, frozen=True):
    """How the release of one refusal ended: what was sent (if it was changed), and what was still wrong in it."""

    id: int
    raw: bytes | None
    left: tuple[Row, ...] = ()


def count(engine: Engine, wanted: Wanted) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(T).where(*conditions(wanted))).scalar_one()


def newest(engine: Engine, wanted: Wanted, most: int) -> list[Refusal]:
    with reading(engine) as connection:
        return [_refusal(dict(row)) for row in connection.execute(_ordered(wanted).limit(most)).mappings()]


def one(engine: Engine, number: int) -> Refusal | None:
    return next(iter(newest(engine, Wanted(ids=(number,)), 1)), None)


def in_order(engine: Engine, wanted: Wanted) -> list[int]:
    """The numbers of those that are held, in the order in which they came."""
    asked = select(T.c.id).where(*conditions(wanted), T.c.state == "held").order_by(T.c.received_at, T.c.id)
    with reading(engine) as connection:
        return list(connection.execute(asked).scalars())


def held(engine: Engine, numbers: Sequence[int]) -> list[Refusal]:
    """Those of them that are held now, in the order asked for."""
    found = {one.id: one for one in newest(engine, Wanted(ids=tuple(numbers), state="held"), len(numbers))}
    return [found[number] for number in numbers if number in found]


def groups(engine: Engine, wanted: Wanted) -> list[Group]:
    """What came most often first."""
    by = (T.c.source, T.c.rule)
    arrivals = func.sum(T.c.count).label("arrivals")
    asked = select(*by, func.min(T.c.wrong), func.count(), arrivals, func.min(T.c.received_at), func.max(T.c.last_at))
    with reading(engine) as connection:
        rows = connection.execute(asked.where(*conditions(wanted)).group_by(*by).order_by(arrivals.desc(), *by))
        return [_group(*row) for row in rows]


def _group(source: str, rule: str, wrong: str, refusals: int, arrivals: int, first: int, last: int) -> Group:
    return Group(
        source=source,
        rule=rule,
        wrong=wrong,
        refusals=refusals,
        arrivals=int(arrivals),
        first_at_ms=first,
        last_at_ms=last,
    )


def discard(engine: Engine, wanted: Wanted, *, reason: str, now_ms: int) -> int:
    values = {"state": "discarded", "state_at": now_ms, "discard_reason": reason}
    with writing(engine) as connection:
        done = connection.execute(update(T).where(*conditions(wanted), T.c.state == "held").values(values))
        return done.rowcount


def mark_released(engine: Engine, endings: Iterable[Ending], *, now_ms: int) -> None:
    """What was still wrong in a request of several messages is held by itself from now on."""
    with writing(engine) as connection:
        for ending in endings:
            values: dict[str, Any] = {"state": "released", "state_at": now_ms}
            if ending.raw is not None:
                values |= {"raw": ending.raw, "size": len(ending.raw), "edited": True}
            connection.execute(update(T).where(T.c.id == ending.id, T.c.state == "held").values(values))
            add(connection, ending.left)


def drop_old(engine: Engine, *, now_ms: int) -> int:
    """Forget what came long ago; how many."""
    old = select(T.c.id).where(T.c.last_at < now_ms - KEPT_MS, T.c.state_at < now_ms - KEPT_MS).limit(AT_ONCE)
    dropped = 0
    while True:
        with writing(engine) as connection:
            gone = connection.execute(delete(T).where(T.c.id.in_(old))).rowcount
        dropped += gone
        if gone < AT_ONCE:
            return dropped


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    texts = {T.c.source: wanted.source, T.c.rule: wanted.rule, T.c.state: wanted.state}
    found: list[ColumnElement[bool]] = [column == value for column, value in texts.items() if value is not None]
    if wanted.ids:
        found.append(T.c.id.in_(wanted.ids))
    if wanted.since_ms is not None:
        found.append(T.c.last_at >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(T.c.last_at < wanted.until_ms)
    return found


def _ordered(wanted: Wanted) -> Select[Any]:
    return select(T).where(*conditions(wanted)).order_by(T.c.last_at.desc(), T.c.id.desc())


def _refusal(row: dict[str, Any]) -> Refusal:
    return Refusal(
        **{name: row[name] for name in Refusal.__struct_fields__ if name in row and name != "violations"},
        violations=msgspec.json.decode(row["violations"], type=tuple[Violation, ...]),
        received_at_ms=row["received_at"],
        last_at_ms=row["last_at"],
        state_at_ms=row["state_at"],
    )
