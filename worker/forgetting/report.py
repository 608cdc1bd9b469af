"""What was asked for about a user, and what was done: kept in the database without the user's id."""

import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Engine, insert, select, update

from destinations.sql.engine import reading, writing
from worker.database.forgetting_tables import FORGETTINGS as T
from worker.forgetting.regulation import Kind, State

SILENT_MS = 60_000
"""Whoever works on it says so more often than that."""


class Answered(msgspec.Struct, frozen=True, rename="camel"):
    """What a destination said."""

    destination: str
    answer: Literal["done", "not supported", "failed"]
    reason: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of it."""

    removed: dict[str, int] = {}
    """By store."""
    answers: tuple[Answered, ...] = ()
    left: tuple[str, ...] = ()
    """What may still be somewhere, and why: sentences without their full stops."""

    @property
    def failed(self) -> bool:
        return bool(self.left) or any(one.answer == "failed" for one in self.answers)


class Wish(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was asked for."""

    id: str
    kind: Kind
    subject: str
    """The digest of the user's id."""
    asked: str
    """The user's id, as long as something is still to be done."""
    state: State
    created_ms: int
    finished_ms: int
    report: Report


def add(engine: Engine, kind: Kind, user: str, subject: str, *, state: State = "INITIALIZED") -> str:
    """Its id. Raises DatabaseAway."""
    now = _now_ms()
    row = {
        "id": f"reg_{secrets.token_hex(4)}",
        "kind": kind,
        "subject": subject,
        "asked": user,
        "state": state,
        "report": msgspec.json.encode(Report()).decode(),
        "created_ms": now,
        "beat_ms": now,
        "finished_ms": 0,
    }
    with writing(engine) as connection:
        connection.execute(insert(T).values(row))
    return str(row["id"])


def get(engine: Engine, number: str) -> Wish | None:
    return next(iter(_found(engine, select(T).where(T.c.id == number))), None)


def newest(
    engine: Engine, *, most: int, states: Sequence[str] = (), kinds: Sequence[str] = (), after: str = ""
) -> list[Wish]:
    """`after`: older than the one with this id."""
    asked = select(T)
    if states:
        asked = asked.where(T.c.state.in_(states))
    if kinds:
        asked = asked.where(T.c.kind.in_(kinds))
    if after:
        since = select(T.c.created_ms).where(T.c.id == after).scalar_subquery()
        asked = asked.where((T.c.created_ms < since) | ((T.c.created_ms == since) & (T.c.id < after)))
    return _found(engine, asked.order_by(T.c.created_ms.desc(), T.c.id.desc()).limit(most))


def take(engine: Engine) -> Wish | None:
    """The oldest that nobody works on; from now on we do."""
    stale = (T.c.state == "RUNNING") & (T.c.beat_ms < _now_ms() - SILENT_MS)
    free = (T.c.state == "INITIALIZED") | stale
    for wish in _found(engine, select(T).where(free).order_by(T.c.created_ms, T.c.id).limit(1)):
        with writing(engine) as connection:
            ours = update(T).where(T.c.id == wish.id, free).values(state="RUNNING", beat_ms=_now_ms())
            if connection.execute(ours).rowcount:
                return wish
    return None


def beat(engine: Engine, number: str) -> None:
    """Somebody works on it."""
    with writing(engine) as connection:
        connection.execute(update(T).where(T.c.id == number).values(beat_ms=_now_ms()))


def finish(engine: Engine, number: str, report: Report) -> None:
    """The user's id goes from the row: what is left is its digest."""
    state = "PARTIAL_SUCCESS" if report.failed else "FINISHED"
    text = msgspec.json.encode(report).decode()
    with writing(engine) as connection:
        changes = {"state": state, "asked": "", "report": text, "finished_ms": _now_ms()}
        connection.execute(update(T).where(T.c.id == number).values(changes))


def hide(engine: Engine, subject: str) -> None:
    """The user's id goes from all that was asked about them: the rest can be done without."""
    with writing(engine) as connection:
        connection.execute(update(T).where(T.c.subject == subject).values(asked=""))


def _found(engine: Engine, asked: Any) -> list[Wish]:
    with reading(engine) as connection:
        rows = connection.execute(asked).mappings().all()
    report = msgspec.json.Decoder(Report).decode
    shown = [name for name in Wish.__struct_fields__ if name != "report"]
    return [Wish(**{name: row[name] for name in shown}, report=report(row["report"])) for row in rows]


def _now_ms() -> int:
    return int(time.time() * 1000)
