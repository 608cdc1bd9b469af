"""Prove one line in one partition: every message that was accepted, at every destination that should have it."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import redis
from sqlalchemy import Connection

from worker import keys
from worker.audit import accepted
from worker.audit.accepted import Window, moment
from worker.audit.letters import kept, kept_elsewhere
from worker.audit.proof import Breach, Died, Kept, Prover, after_death
from worker.letters.desk import KEPT_MS
from worker.lines import line_of
from worker.stories import told
from worker.stories.waiting import Waiting
from worker.story import position_of

LETTERS_AT_ONCE = 500

BROKEN = "broken"


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be proved."""

    partition: int
    partitions: int
    """How many there are."""
    line: str
    waiting: Mapping[str, Waiting]
    """By destination."""
    window: Window
    settled_ms: int
    archive: Path | None
    """None: only what is still in the log can be known."""


class Wrong(msgspec.Struct, frozen=True):
    """A message that is not in exactly one place at a destination; the position is sortable."""

    position: str
    destination: str
    words: str


class Findings:
    """What the proof of a line comes to."""

    def __init__(self) -> None:
        self.accepted = 0
        self.archived = 0
        self.places: dict[str, Counter[str]] = {}
        self.wrong: list[Wrong] = []


def prove(client: "redis.Redis", connection: Connection, stretch: Stretch, *, most: int) -> Findings:
    """Raises redis.RedisError, DatabaseAway, DamagedArchiveError, OSError."""
    findings = Findings()
    sides = [_Side(client, connection, stretch, name, most) for name in stretch.waiting]
    for position in _positions(client, stretch, findings):
        findings.accepted += 1
        for side in sides:
            side.look(position)
    for side in sides:
        side.finish()
        findings.places[side.destination] = side.places
        findings.wrong += side.wrong
    return findings


def _positions(client: "redis.Redis", stretch: Stretch, findings: Findings) -> Iterator[str]:
    """Each position once, rising."""
    logged = accepted.logged(client, stretch.partition, stretch.line, stretch.window)
    if stretch.archive is None:
        return logged
    source = line_of(stretch.line).source
    found = accepted.archived(stretch.archive, source, stretch.partition, stretch.window)
    return _both(_counted(found, findings), logged)


def _counted(positions: Iterable[str], findings: Findings) -> Iterator[str]:
    for position in positions:
        findings.archived += 1
        yield position


def _both(one: Iterator[str], other: Iterator[str]) -> Iterator[str]:
    """What comes in either, once."""
    before = ""
    for position in heapq.merge(one, other):
        if position != before:
            yield position
        before = position


class _Side:
    """One destination of the line."""

    def __init__(
        self, client: "redis.Redis", connection: Connection, stretch: Stretch, destination: str, most: int
    ) -> None:
        self.destination = destination
        self._most = most
        self.places: Counter[str] = Counter()
        self.wrong: list[Wrong] = []
        self._client = client
        self._connection = connection
        self._stretch = stretch
        self._letters_since = moment(max(0, stretch.settled_ms - KEPT_MS))
        self._died: list[Died] = []
        waiting = stretch.waiting[destination]
        at = (stretch.partition, stretch.line, destination)
        spans = told.ends(connection, *at, since=stretch.window.since)
        self._prover = Prover(spans, waiting, settled_ms=stretch.settled_ms)
        self._from = _joined(client, *at)

    def look(self, position: str) -> None:
        if position < self._from:
            return
        match self._prover.place(position):
            case Died() as died:
                self._died.append(died)
                if len(self._died) == LETTERS_AT_ONCE:
                    self._ask_letters()
            case place:
                self._found(place)

    def finish(self) -> None:
        self._ask_letters()

    def _ask_letters(self) -> None:
        """What became of those that died."""
        stretch, settled_ms = self._stretch, self._stretch.settled_ms
        positions = [position_of(died.position) for died in self._died]
        at = (stretch.partition, stretch.line, self.destination)
        letters = kept(self._connection, *at, positions, partitions=stretch.partitions) if positions else {}
        for died in self._died:
            letter = letters.get(position_of(died.position)) or self._elsewhere(died.position)
            self._found(after_death(died, letter, settled_ms=settled_ms, kept_since=self._letters_since))
        self._died.clear()

    def _elsewhere(self, position: str) -> Kept | None:
        if position < self._letters_since:
            return None
        body = body_at(self._client, self._stretch, position)
        source = line_of(self._stretch.line).source
        return kept_elsewhere(self._connection, source, self.destination, named(body)) if body else None

    def _found(self, place: str | Breach) -> None:
        match place:
            case Breach(position=position):
                self._broken(position, _words(place))
            case _:
                self.places[place] += 1

    def _broken(self, position: str, words: str) -> None:
        self.places[BROKEN] += 1
        if len(self.wrong) < self._most:
            self.wrong.append(Wrong(position, self.destination, words))


class _Named(msgspec.Struct, rename="camel"):
    message_id: str


_named = msgspec.json.Decoder(_Named).decode


def named(body: bytes) -> str:
    """The id of a message."""
    return _named(body).message_id


def body_at(client: "redis.Redis", stretch: Stretch, position: str) -> bytes | None:
    """The message at a sortable position, if log or archive still have it."""
    body = accepted.body_in_log(client, stretch.partition, stretch.line, position)
    if body is not None or stretch.archive is None:
        return body
    return accepted.body_in_archive(stretch.archive, line_of(stretch.line).source, stretch.partition, position)


def _joined(client: "redis.Redis", partition: int, line: str, destination: str) -> str:
    """From where on messages are meant for a destination that came later than its source."""
    since = client.hget(keys.count(partition, line_of(line).counted_under), f"since:{destination}")
    return moment(int(since) + 1) if since else ""


def _words(breach: Breach) -> str:
    match breach.wrong:
        case "missing":
            return "nothing tells what became of it, and it does not wait anywhere"
        case "twice":
            return f"it ended {len(breach.fates)} times: {', '.join(breach.fates)}"
        case "both":
            return f"it is {breach.fates[-1]}, and still waits"
        case "letterless":
            return "it is told to be dead, but there is no dead letter"
        case "lost":
            return "its dead letter was sent again, but nothing tells what became of it, and it does not wait anywhere"
