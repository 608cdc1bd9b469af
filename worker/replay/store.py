"""Replays in the database, where every terminal finds them."""

import time
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, select, update

from destinations.sql.engine import reading, writing
from worker.database.replay_tables import REPLAYS
from worker.replay.errors import UnknownReplay, WrongState
from worker.replay.manifest import Manifest
from worker.replay.replay import Replay, State
from worker.replay.selection import Selection

_decode_selection = msgspec.json.Decoder(Selection).decode
_decode_manifest = msgspec.json.Decoder(Manifest).decode
_SHOWN = [column for column in REPLAYS.c if column.name != "manifest"]


class Replays:
    """All replays. Raises DatabaseAway; and UnknownReplay where one is named."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, replay: Replay, manifest: Manifest) -> None:
        now = _now_ms()
        row = msgspec.structs.asdict(replay) | {
            "selection": msgspec.json.encode(replay.selection).decode(),
            "manifest": msgspec.json.encode(manifest).decode(),
            "created_at": now,
            "updated_at": now,
        }
        with writing(self._engine) as connection:
            connection.execute(REPLAYS.insert().values(row))

    def all(self) -> list[Replay]:
        """The newest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(*_SHOWN).order_by(REPLAYS.c.created_at.desc(), REPLAYS.c.id)).all()
        return [_replay(row) for row in rows]

    def get(self, replay_id: str) -> Replay:
        with reading(self._engine) as connection:
            row = connection.execute(select(*_SHOWN).where(REPLAYS.c.id == replay_id)).first()
        if row is None:
            raise UnknownReplay(f"there is no replay {replay_id!r}: `turnout replay list` shows them")
        return _replay(row)

    def manifest_of(self, replay_id: str) -> Manifest:
        with reading(self._engine) as connection:
            found = connection.execute(select(REPLAYS.c.manifest).where(REPLAYS.c.id == replay_id)).scalar_one()
        return _decode_manifest(found)

    def state_of(self, replay_id: str) -> State:
        with reading(self._engine) as connection:
            found: State = connection.execute(select(REPLAYS.c.state).where(REPLAYS.c.id == replay_id)).scalar_one()
        return found

    def move(self, replay_id: str, state: State, *, allowed: Collection[State], reason: str = "") -> Replay:
        """Into another state, if it is in one of those allowed. Raises WrongState."""
        changed = {"state": state, "reason": reason, "updated_at": _now_ms()}
        asked = update(REPLAYS).where(REPLAYS.c.id == replay_id, REPLAYS.c.state.in_(allowed)).values(changed)
        with writing(self._engine) as connection:
            moved = connection.execute(asked).rowcount
        found = self.get(replay_id)
        if not moved:
            raise WrongState(f"replay {replay_id} is {found.state}")
        return found

    def set_rate(self, replay_id: str, rate: float) -> None:
        """From the next time on that it is run."""
        with writing(self._engine) as connection:
            connection.execute(update(REPLAYS).where(REPLAYS.c.id == replay_id).values(rate=rate))

    def note(self, replay_id: str, *, reached: str, sent: int) -> None:
        """How far it has come."""
        came = {"reached": reached, "sent": sent, "updated_at": _now_ms()}
        with writing(self._engine) as connection:
            connection.execute(update(REPLAYS).where(REPLAYS.c.id == replay_id).values(came))


def _replay(row: Row[Any]) -> Replay:
    found: dict[str, Any] = dict(row._mapping)
    return Replay(**found | {"selection": _decode_selection(found["selection"])})


def _now_ms() -> int:
    return int(time.time() * 1000)
