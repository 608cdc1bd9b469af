"""Tell the story of a message: found wherever it lies, with what became of it at each destination."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from destinations.sql.engine import reading
from worker import keys
from worker.database.tables import DEAD_LETTERS, REFUSALS
from worker.lines import RETRY, Line, line_of
from worker.stories import told
from worker.stories.finding import Found, Searching
from worker.stories.keeping import horizon
from worker.stories.stores import Stores
from worker.stories.story import Copy, Journey, LetterSeen, Refused, State, Story
from worker.stories.waiting import Waiting, waiting
from worker.stories.words import waits_for
from worker.story import sortable


class _About(msgspec.Struct, rename="camel"):
    """What is told of a message in a line."""

    type: str = ""
    received_at: str = ""
    timestamp: str = ""
    sent_at: str | None = None
    event: Any = None
    user_id: str | None = None
    anonymous_id: str | None = None
    noted: dict[str, Any] = msgspec.field(default={}, name="_turnout")


_about = msgspec.json.Decoder(_About).decode


def story_of(stores: Stores, message_id: str, *, source: str | None = None) -> Story:
    """Raises redis.RedisError, DatabaseAway, DamagedArchiveError, OSError."""
    stores.move()
    with reading(stores.engine) as connection:
        searching = Searching(stores.client, connection, stores.config, source=source)
        found = _together(searching.found(message_id))
        refused = tuple(_refused(connection, message_id, source))
    copies = [_Teller(stores, message_id).copy(same) for same in found]
    return Story(
        message_id=message_id,
        copies=tuple(sorted(copies, key=lambda copy: sortable(copy.position))),
        refused=refused,
        looked_in=(*searching.looked_in, "the quarantine"),
    )


def _together(found: Iterator[Found]) -> list[list[Found]]:
    """What is the same copy, by its place in the log."""
    copies: dict[tuple[str, int, str], list[Found]] = {}
    for one in found:
        copies.setdefault((one.line, one.partition, one.position), []).append(one)
    return list(copies.values())


class _Teller:
    def __init__(self, stores: Stores, message_id: str) -> None:
        self._stores = stores
        self._message_id = message_id
        self._client = stores.client

    def copy(self, found: Sequence[Found]) -> Copy:
        one = found[0]
        about = _about(one.body)
        return Copy(
            source=line_of(one.line).source,
            line=one.line,
            partition=one.partition,
            position=one.position,
            found_in=tuple(dict.fromkeys(same.place for same in found)),
            message=msgspec.Raw(one.body),
            received_at=about.received_at,
            timestamp=about.timestamp,
            type=about.type,
            sent_at=about.sent_at or "",
            event=about.event if isinstance(about.event, str) else "",
            user=about.user_id or about.anonymous_id or "",
            notes=tuple(about.noted.get("notes", ())),
            journeys=tuple(self._journeys(one)),
        )

    def _journeys(self, found: Found) -> Iterator[Journey]:
        """First what waits, then what was told: so a message that moves in between is seen at least once."""
        line = line_of(found.line)
        names = [line.destination] if line.way else self._stores.config.sources[line.source].destinations
        held = {name: waiting(self._client, found.partition, found.line, name) for name in names}
        self._stores.move()
        with reading(self._stores.engine) as connection:
            position = sortable(found.position)
            told_of = told.destinations_of(connection, found.partition, found.line, position)
            for name in dict.fromkeys([*names, *told_of]):
                yield self._journey(connection, found, name, held.get(name, Waiting()))
            if not line.way:
                for again in told.replays(connection, found.partition, line.source, position):
                    yield self._replayed(connection, found, line_of(again))

    def _journey(self, connection: Connection, found: Found, destination: str, held: Waiting) -> Journey:
        at = (found.partition, found.line, destination)
        position = sortable(found.position)
        steps = told.steps(connection, *at, position)
        ended = next((step.fate for step in reversed(steps) if step.fate in told.ENDS), None)
        died = ended is None or any(step.fate == "dead" for step in steps)
        letter = _letter(connection, found, destination, self._message_id) if died else None
        state = _state(ended, letter, waits=held.holds(position)) or self._unknown(connection, found, destination)
        wait = waits_for(self._client, *at, position, held) if state == "waiting" else ""
        return Journey(destination=destination, state=state, steps=steps, waits_for=wait, letter=letter)

    def _replayed(self, connection: Connection, found: Found, line: Line) -> Journey:
        """What its passages say: a message that a replay has not brought yet has none."""
        steps = told.steps(connection, found.partition, line.name, line.destination, sortable(found.position))
        ended = next((step.fate for step in reversed(steps) if step.fate in told.ENDS), None)
        state = _state(ended, None, waits=True) or "waiting"
        return Journey(destination=line.destination, state=state, replay=line.way, steps=steps)

    def _unknown(self, connection: Connection, found: Found, destination: str) -> State:
        came_ms = int(found.position.partition("-")[0])
        since = self._client.hget(
            keys.count(found.partition, line_of(found.line).counted_under), f"since:{destination}"
        )
        if since is not None and came_ms <= int(since):
            return "earlier"
        kept_since = max(horizon(connection, "deliveries"), told.lost_ms(connection, found.partition))
        return "forgotten" if came_ms < kept_since else "unknown"


def _state(ended: str | None, letter: LetterSeen | None, *, waits: bool) -> State | None:
    """None where neither the story nor the letter says it, and it does not wait."""
    match ended:
        case "delivered" | "filtered":
            return ended
        case None if letter is None:
            return "waiting" if waits else None
    letter_state = letter.state if letter else "dead"
    if waits and letter_state in ("retrying", "retried"):
        return "waiting"
    return "resent" if letter_state == "retried" else "dead"


def _letter(connection: Connection, found: Found, destination: str, message_id: str) -> LetterSeen | None:
    """The one of this copy; else the one that went to another partition, and took its new place along."""
    source = line_of(found.line).source
    here = (
        (DEAD_LETTERS.c.partition == found.partition)
        & (DEAD_LETTERS.c.line == found.line)
        & (DEAD_LETTERS.c.position == found.position)
    )
    elsewhere = (
        (DEAD_LETTERS.c.message_id == message_id)
        & (DEAD_LETTERS.c.line == Line(source, RETRY, destination).name)
        & (DEAD_LETTERS.c.retries > 0)
    )
    ours = (DEAD_LETTERS.c.destination == destination) & (DEAD_LETTERS.c.source == source)
    for same in (here, elsewhere):
        row = connection.execute(select(DEAD_LETTERS).where(ours, same)).first()
        if row is not None:
            return LetterSeen(
                id=row.id,
                state=row.state,
                state_at_ms=row.state_at,
                reason=row.reason,
                code=row.code,
                attempts=row.attempts,
            )
    return None


def _refused(connection: Connection, message_id: str, source: str | None) -> Iterator[Refused]:
    asked = select(REFUSALS).where(REFUSALS.c.message_id == message_id).order_by(REFUSALS.c.id)
    for row in connection.execute(asked if source is None else asked.where(REFUSALS.c.source == source)):
        yield Refused(
            id=row.id,
            source=row.source,
            state=row.state,
            first_at_ms=row.received_at,
            last_at_ms=row.last_at,
            times=row._mapping["count"],
            wrong=row.wrong,
        )
