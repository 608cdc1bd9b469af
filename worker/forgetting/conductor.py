"""Forget a user: everywhere, step by step, so that whoever repeats it after a crash finishes what is left."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec
from sqlalchemy import Engine

from destinations.forgetting import Subject
from destinations.profiles import forgetting as profiles
from destinations.profiles.store import open_profiles
from destinations.profiles.tables import METADATA as PROFILE_TABLES
from destinations.sql.engine import reading
from destinations.sql.wiping import wipe
from schemas.dates import stamp
from worker.database.tables import METADATA
from worker.forgetting import archives, asking, hands, lanes, register, report, server_file, streams
from worker.forgetting.memory import FOR_EVER, digest_of
from worker.forgetting.person import Mention, Person, Replacing
from worker.forgetting.regulation import DELETING, FORWARDED, SUPPRESSING, Kind
from worker.forgetting.report import Answered, Report
from worker.keeping import move_everything
from worker.letters import erasing as letters
from worker.refusals import erasing as refusals
from worker.replay import erasing as replays
from worker.stories import erasing as stories
from worker.stories.moving import move_stories
from worker.stories.stores import Stores
from worker.story import sortable

COLLECTORS_KNOW_AFTER = 2.5
"""Seconds after which every collector that reaches the log drops what a suppressed user sends."""

Place = tuple[int, str, str]


class Beside(msgspec.Struct, frozen=True):
    """A store that this package does not know."""

    name: str
    erase: Callable[[Person], tuple[int, Sequence[str]]]
    """How many messages, and what may be left."""


class Teller(Protocol):
    """Is told which step has begun, and how much of it is done."""

    def step(self, words: str, total: int) -> None: ...

    def done(self, number: int) -> None: ...


class Quiet:
    """Tells nobody."""

    def step(self, words: str, total: int) -> None:
        return

    def done(self, number: int) -> None:
        return


def person_of(stores: Stores, user: str) -> Person:
    """The user with all ids that are known to be theirs. Raises DatabaseAway."""
    key = register.key_of(stores.engine)
    known = profiles.Known()
    with _profiles(stores) as database:
        if database is not None:
            with reading(database) as connection:
                known = profiles.known_of(connection, user)
    return Person(ids=known.ids | {user}, others=known.others, key=key)


def carry_out(
    stores: Stores,
    kind: Kind,
    user: str,
    *,
    beside: Sequence[Beside] = (),
    teller: Teller | None = None,
    grace: float | None = None,
) -> Report:
    """What a wish of this kind asks for. Raises RedisError, DatabaseAway, OSError, DamagedArchiveError, WorkerError.

    `grace`: seconds to wait for what collectors still take of the user; else COLLECTORS_KNOW_AFTER.
    """
    person = person_of(stores, user)
    now = _now(stores)
    if kind == "UNSUPPRESS":
        number = register.release(stores.engine, person.key, user, until=now)
        _publish(stores)
        return Report(removed={"suppressed ids": number})
    until = FOR_EVER if kind in SUPPRESSING else now
    register.note(stores.engine, person.key, user, person.ids, until=until)
    _publish(stores)
    if kind not in DELETING:
        return Report()
    teller = teller or Quiet()
    teller.step("waiting for what is on its way", 1)
    time.sleep(COLLECTORS_KNOW_AFTER if grace is None else grace)
    erasing = _Erasing(stores, person, user, beside, teller)
    return erasing.run(Subject(user_id=user, others=tuple(sorted(person.ids - {user})), at=now), kind in FORWARDED)


class _Erasing:
    """One run. Profiles come last: they know which ids are the user's."""

    def __init__(self, stores: Stores, person: Person, user: str, beside: Sequence[Beside], teller: Teller) -> None:
        self._stores = stores
        self._person = person
        self._user = user
        self._beside = beside
        self._teller = teller
        self._replacing = Replacing(person)
        self._removed: dict[str, int] = {}
        self._left: list[str] = []
        self._places: list[Place] = []
        self._answers: Sequence[Answered] = ()

    def run(self, subject: Subject, forwarded: bool) -> Report:  # noqa: FBT001  a fact about the wish
        self._wait()
        self._empty_beside()
        self._empty_log()
        self._empty_archives()
        # What was being read from the archive meanwhile has come to the log again.
        self._empty_log()
        self._empty_database()
        if forwarded:
            self._teller.step("asking destinations", len(asking.asked_of(self._stores.config)))
            self._answers = asking.ask(self._stores.config, subject, self._teller.done)
        self._empty_profiles()
        report.hide(self._stores.engine, digest_of(self._person.key, self._user).hex())
        self._wipe()
        return Report(removed=self._removed, answers=tuple(self._answers), left=tuple(self._left))

    def _count(self, store: str, number: int) -> None:
        self._removed[store] = self._removed.get(store, 0) + number

    def _wait(self) -> None:
        if not hands.wait(self._stores.client):
            self._left.append("a worker had messages in hand for too long: what it writes down of them may stay")
        self._teller.done(1)

    def _empty_beside(self) -> None:
        for store in self._beside:
            self._teller.step(store.name, 1)
            number, left = store.erase(self._person)
            self._count(store.name, number)
            self._left += left
            self._teller.done(1)

    def _empty_log(self) -> None:
        client = self._stores.client
        names = streams.streams(client, "log")
        self._teller.step("the log", len(names) + 1)
        self._count("log", 0)
        for name in names:
            if streams.worn(client, name) or streams.concerned(client, name, self._replacing.bodies):
                places = streams.rewrite(client, name, self._replacing.bodies)
                self._count("log", len(places))
                self._places += places
            self._teller.done(1)
        self._count("retry lanes", lanes.rewrite(client, self._replacing.body))
        self._teller.done(1)

    def _empty_archives(self) -> None:
        self._teller.step("the archive", archives.count(self._stores.config))
        number, places = archives.erase(self._stores.config, self._replacing, self._teller.done)
        self._count("archive", number)
        self._places += places

    def _empty_database(self) -> None:
        client, engine = self._stores.client, self._stores.engine
        self._teller.step("dead letters, quarantine, stories, replays", 4)
        move_everything(client, engine)
        move_stories(client, engine, self._stores.config)
        for kind in ("dead", "refused", "story"):
            for name in streams.streams(client, kind):
                streams.rewrite(client, name, lambda bodies: None)
        dead, quotations = letters.erase(engine, self._person)
        self._count("dead letters", len(dead))
        self._teller.done(1)
        self._count("quarantine", refusals.erase(engine, self._person))
        self._teller.done(1)
        places = _sorted([*self._places, *dead])
        self._count("stories", stories.erase(engine, Mention(self._person), places) + quotations)
        self._teller.done(1)
        self._count("replays", replays.erase(engine, self._person))
        self._teller.done(1)

    def _empty_profiles(self) -> None:
        with _profiles(self._stores) as database:
            if database is None:
                return
            self._teller.step("profiles", 1)
            self._count("profiles", profiles.forget(database, self._user))
            self._leave(wipe(database, list(PROFILE_TABLES.tables)))
            self._teller.done(1)

    def _wipe(self) -> None:
        self._teller.step("files of the servers", 2)
        self._leave(wipe(self._stores.engine, list(METADATA.tables)))
        self._teller.done(1)
        self._leave(server_file.rewrite(self._stores.client))
        self._teller.done(1)

    def _leave(self, trouble: str) -> None:
        if trouble:
            self._left.append(trouble)


@contextmanager
def _profiles(stores: Stores) -> Iterator[Engine | None]:
    """The database of users and groups, where there is one."""
    url = stores.config.profiles()
    if url is None:
        yield None
        return
    database = open_profiles(url)
    try:
        yield database
    finally:
        database.dispose()


def _sorted(places: Sequence[Place]) -> Mapping[tuple[int, str], Sequence[str]]:
    found: dict[tuple[int, str], list[str]] = {}
    for partition, line, position in places:
        if "-" in position:
            found.setdefault((partition, line), []).append(sortable(position))
    return {at: sorted(positions) for at, positions in found.items()}


def _publish(stores: Stores) -> None:
    register.publish(stores.client, stores.engine, partitions=stores.config.log.partitions)


def _now(stores: Stores) -> str:
    """By the clock of the log's server."""
    seconds, microseconds = stores.client.time()
    return stamp(seconds * 1000 + microseconds // 1000)
