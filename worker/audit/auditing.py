"""Prove from the stores that every accepted message is in exactly one place, while traffic goes on."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from typing import cast

import msgspec
import redis
from sqlalchemy import Connection

from destinations.sql.engine import reading
from worker import keys
from worker.audit import letters
from worker.audit.accepted import Window, moment
from worker.audit.accounts import Seen, differences, seen
from worker.audit.lines import BROKEN, Findings, Stretch, Wrong, body_at, named, prove
from worker.audit.report import Account, Broken, Report
from worker.config import ARCHIVE
from worker.lines import line_of
from worker.stories.archives import archive_of
from worker.stories.keeping import horizon
from worker.stories.stores import Stores
from worker.stories.told import ENDS, lost_ms
from worker.stories.waiting import Waiting, waiting
from worker.story import position_of

OUTRUN_MS = 60_000
"""The clocks of workers and servers may differ by so much."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at; times in ms since 1970."""

    source: str | None = None
    since_ms: int = 0
    until_ms: int | None = None
    most: int = 100
    """So many broken messages are named."""


_NOTES = {
    "forgotten": "messages that came before {} are not looked at: their stories have been forgotten",
    "lost": "messages that came before {} are not looked at: stories were lost before they could be kept",
    "archive": "{} has no archive: only what is still in the log was looked at",
}

Progress = Callable[[int, int], None]
"""Told how many partitions are done, of how many."""


def audit(stores: Stores, asked: Asked, progress: Progress = lambda done, of: None) -> Report:
    """Raises redis.RedisError, DatabaseAway, DamagedArchiveError, OSError."""
    seconds, microseconds = stores.client.time()
    auditor = _Auditor(stores, asked, started_ms=seconds * 1000 + microseconds // 1000)
    partitions = stores.config.log.partitions
    for partition in range(partitions):
        progress(partition, partitions)
        auditor.look_at(partition)
    progress(partitions, partitions)
    return auditor.report()


class _Auditor:
    def __init__(self, stores: Stores, asked: Asked, *, started_ms: int) -> None:
        self._stores = stores
        self._asked = asked
        self._started_ms = started_ms
        self._until_ms = min(started_ms, asked.until_ms or started_ms)
        self._totals: dict[tuple[str, str], Counter[str]] = {}
        self._broken: list[Broken] = []
        self._differences: list[str] = []
        self._notes: dict[str, None] = {}

    def look_at(self, partition: int) -> None:
        """First what waits, then the ends: whatever moves in between is then known of."""
        client = self._stores.client
        lines = list(self._lines(partition))
        before = {line: seen(client, partition, line) for line in lines}
        waits = {line: self._waits(partition, line) for line in lines}
        self._stores.move()
        with reading(self._stores.engine) as connection:
            window = self._window(connection, partition)
            for line in lines:
                stretch = self._stretch(partition, line, waits[line], window)
                findings = prove(client, connection, stretch, most=self._asked.most)
                self._take(stretch, findings)
                self._compare(connection, stretch, findings, before[line])

    def _lines(self, partition: int) -> Iterator[str]:
        sources = self._stores.config.sources
        others = cast(set[bytes], self._stores.client.smembers(keys.lines(partition)))
        for line in (*sorted(sources), *sorted(name.decode() for name in others)):
            source = line_of(line).source
            if source in sources and self._asked.source in (None, source):
                yield line

    def _waits(self, partition: int, line: str) -> dict[str, Waiting]:
        """By destination; only those that have, or once had, a part in the line."""
        about = line_of(line)
        names = (about.destination,) if about.way else self._stores.config.sources[about.source].destinations
        client = self._stores.client
        asked = {name: waiting(client, partition, line, name) for name in names}
        exists = bool(client.exists(keys.log(partition, line)))
        return {
            name: found
            for name, found in asked.items()
            if found.exists or found.missed or not exists or _took_part(client, partition, line, name)
        }

    def _window(self, connection: Connection, partition: int) -> Window:
        forgotten = max(horizon(connection, "deliveries"), horizon(connection, "failures"))
        lost = lost_ms(connection, partition)
        if forgotten > self._asked.since_ms:
            self._note("forgotten", forgotten)
        if lost > self._asked.since_ms:
            self._note("lost", lost)
        since_ms = max(self._asked.since_ms, forgotten, lost)
        return Window(moment(since_ms) if since_ms else "", moment(self._until_ms))

    def _stretch(self, partition: int, line: str, waits: dict[str, Waiting], window: Window) -> Stretch:
        about = line_of(line)
        archive = None if about.way else archive_of(self._stores.config, about.source)
        if not about.way and archive is None:
            self._note("archive", about.source)
        return Stretch(
            partition=partition,
            partitions=self._stores.config.log.partitions,
            line=line,
            waiting=waits,
            window=window,
            settled_ms=self._started_ms - OUTRUN_MS,
            archive=archive,
        )

    def _note(self, kind: str, about: object) -> None:
        self._notes[_NOTES[kind].format(_time(about) if isinstance(about, int) else about)] = None

    def _take(self, stretch: Stretch, findings: Findings) -> None:
        for destination, places in findings.places.items():
            self._totals.setdefault((stretch.line, destination), Counter()).update(places)
        room = max(0, self._asked.most - len(self._broken))
        self._broken += [self._named(stretch, wrong) for wrong in findings.wrong[:room]]

    def _named(self, stretch: Stretch, wrong: Wrong) -> Broken:
        body = body_at(self._stores.client, stretch, wrong.position)
        return Broken(
            source=line_of(stretch.line).source,
            line=stretch.line,
            partition=stretch.partition,
            position=position_of(wrong.position),
            message_id=named(body) if body else "",
            destination=wrong.destination,
            wrong=wrong.words,
        )

    def _compare(self, connection: Connection, stretch: Stretch, findings: Findings, before: Seen) -> None:
        """Counters against stores: only where all of the line was looked at, and nothing has moved meanwhile."""
        whole = not stretch.window.since and self._asked.until_ms is None and stretch.archive is not None
        still = before.before(self._until_ms) and seen(self._stores.client, stretch.partition, stretch.line) == before
        if whole and still:
            self._differences += differences(
                stretch,
                findings,
                before,
                strayed=letters.strayed(connection, stretch.line, partitions=stretch.partitions),
                archived_again=letters.sent_again(connection, stretch.partition, stretch.line, ARCHIVE),
            )

    def report(self) -> Report:
        accounts = [
            Account(
                line=line,
                destination=destination,
                accepted=places.total(),
                delivered=places["delivered"],
                filtered=places["filtered"],
                dead=places["dead"],
                waiting=places["waiting"],
                broken=places[BROKEN],
            )
            for (line, destination), places in sorted(self._totals.items())
            # What travels a second time mostly belongs to the line that it comes from.
            if places.total() or not line_of(line).way
        ]
        return Report(
            at_ms=self._until_ms,
            accounts=tuple(accounts),
            broken=tuple(self._broken),
            differences=tuple(self._differences),
            notes=tuple(self._notes),
        )


def _took_part(client: "redis.Redis", partition: int, line: str, destination: str) -> bool:
    """Whether messages of the line were ever meant for the destination."""
    fields = [f"{kind}:{destination}" for kind in (*ENDS, "base")]
    return any(client.hmget(keys.count(partition, line_of(line).counted_under), fields))


def _time(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
