"""A small Turnout with a person in every store at once, and a search through all the bytes that it keeps."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import redis
from sqlalchemy import Engine, MetaData, Table, insert, text

from destinations.archive.finder import slots
from destinations.archive.reader import messages
from destinations.builtin.archive import Archive, ArchiveSettings
from destinations.builtin.profiles import Profiles, ProfilesSettings
from destinations.outcome import Deferred, Delivered, Exchange, Outcome, Rejected
from destinations.sql.engine import reading, writing
from destinations.sql.url import DatabaseUrl
from schemas.dates import stamp
from schemas.envelope import Envelope
from tests.worker import rig
from tests.worker.rig import LATER, Scripted
from worker import keys, scripts
from worker.breaker import Breaker
from worker.config import Config, DatabaseSettings, DestinationTable, LogSettings, Source
from worker.courier import Courier, Pace
from worker.database.replay_tables import REPLAYS
from worker.keeper import Keeper
from worker.log import Log
from worker.replay.selection import Selection
from worker.stories.stores import Stores, stores_of

USER, VISITOR, EMAIL, TRAIT = "vera-4711", "visitor-0815-ab", "vera@forgotten.example", "a zebra named Ümit"
SECRETS = (USER, VISITOR, EMAIL, "a zebra named", "zebra")
CLOSED = "2024-02-29T12:00:00.000Z"
DESTINATIONS = ("hook", "profiles", "archive")


def config(data: Path, url: DatabaseUrl | None = None) -> Config:
    profiles = str(url or DatabaseUrl.of_file(data / "profiles.db"))
    return Config(
        data=data,
        log=LogSettings(partitions=1),
        database=DatabaseSettings(url=url or DatabaseUrl("embedded")),
        sources={"web": Source(destinations=DESTINATIONS)},
        destinations={
            "hook": DestinationTable(type="console"),
            "profiles": DestinationTable(type="profiles", settings={"url": profiles}),
            "archive": DestinationTable(type="archive", settings={"dir": str(data / "archive")}),
        },
    )


def message(name: str, user: str, *, at: str = CLOSED, **more: Any) -> bytes:
    told = {
        "type": "track",
        "event": "E",
        "messageId": name,
        "userId": user,
        "timestamp": at,
        "receivedAt": at,
        "originalTimestamp": at,
        "context": {},
        "properties": {},
    }
    return msgspec.json.encode(told | more)


class World:
    """Partition 0 of `web`; `hook` answers as the name of a message says, the other destinations are real."""

    def __init__(self, client: "redis.Redis", engine: Engine, config: Config, url: str) -> None:
        self.url = url
        self.client, self.engine, self.config = client, engine, config
        self.stores: Stores = stores_of(client, engine, config)
        self.terms = rig.terms(*DESTINATIONS)
        self.hook = Scripted(self._answer)
        self.ready = False
        """Whether `hook` takes what it did not take before."""
        settings = config.destinations
        self._keeper = Keeper(Log(client, lease_ms=10_000).renew, interval=60.0)
        archive = Archive("archive", ArchiveSettings(dir=str(settings["archive"].settings["dir"])))
        profiles = Profiles("profiles", ProfilesSettings(url=DatabaseUrl(settings["profiles"].settings["url"])))
        self._adapters: dict[str, Any] = {"hook": self.hook, "archive": archive, "profiles": profiles}
        self._numbers = itertools.count()

    def close(self) -> None:
        self._keeper.close()
        for adapter in self._adapters.values():
            adapter.close()

    def post(self, *bodies: bytes) -> None:
        """One entry for all."""
        names = [msgspec.json.decode(body)["messageId"] for body in bodies]
        rig.append(self.client, self.terms, *names, bodies=bodies)

    def drain(self, *destinations: str) -> None:
        for name in destinations:
            self.courier().drain(0, name)

    def courier(self) -> Courier:
        return Courier(
            Log(self.client, lease_ms=10_000),
            self._adapters,
            self._keeper,
            Breaker(self.client, lease_ms=10_000, settings={}),
            owner="w1",
            policy=lambda name: rig.SOON if self.ready else LATER,
            pace=Pace(),
            most_aside=1_000,
            chance=lambda: 0.5,
        )

    def hurry(self) -> None:
        """What waits aside is due now."""
        for lane in cast("list[bytes]", self.client.zrange(keys.aside(0, "hook"), 0, -1)):
            self.client.zadd(keys.aside(0, "hook"), {lane: 0})

    def refuse(self, raw: bytes, *, kind: str = "message") -> None:
        record = {"source": "web", "received_at": CLOSED, "kind": kind, "path": "/v1/track", "raw": raw}
        told = msgspec.json.encode(record | {"size": len(raw), "violations": []})
        rig.run(self.client, scripts.REFUSE, [keys.refused(0, "web"), keys.count(0, "web")], [told])

    def replay(self, selection: Selection) -> None:
        texts = {column.name: "" for column in REPLAYS.c if str(column.type) == "TEXT"}
        numbers = {column.name: 0 for column in REPLAYS.c if str(column.type) != "TEXT"}
        row = texts | numbers | {"id": "r1", "selection": msgspec.json.encode(selection).decode(), "manifest": "[]"}
        with writing(self.engine) as connection:
            connection.execute(insert(REPLAYS).values(row))

    def archived(self) -> list[bytes]:
        root = self.config.data / "archive"
        return [body for slot in slots(root) for body in messages(slot.index(root))]

    def names_archived(self) -> set[str]:
        return {str(msgspec.json.decode(body)["messageId"]) for body in self.archived()}

    def fill(self) -> None:
        """The person, and another one, in every store."""
        now = stamp(rig.server_ms())
        traits = {"email": EMAIL, "hobby": TRAIT}
        identify: dict[str, Any] = {"type": "identify", "traits": traits, "anonymousId": VISITOR}
        self.post(
            message("before", VISITOR, userId=None, anonymousId=VISITOR),
            message("hello", USER, **identify),
            message("hello-other", "otto", type="identify", traits={"email": "otto@example.com"}, anonymousId="v2"),
        )
        self.post(message("g1", USER, type="group", groupId="acme", traits={"name": "Acme"}))
        self.post(message("now", USER, at=now, properties={"of": TRAIT}), message("now-other", "otto", at=now))
        self.post(message("dead", USER, properties={"of": TRAIT}), message("dead-other", "otto"))
        self.post(message("aside", USER, properties={"of": TRAIT}), message("aside-other", "ottilie"))
        self.drain("hook", "profiles", "archive")
        self.post(message("waits-other", "otto"), message("waits", USER, properties={"of": TRAIT}))
        self.drain("profiles", "archive")
        self.post(message("fresh", USER, at=now, properties={"of": TRAIT}), message("fresh-other", "otto", at=now))
        self.refuse(message("bad", USER, type="nothing", properties={"of": TRAIT}))
        self.refuse(message("bad-other", "otto", type="nothing"))
        self.refuse(f'{{"batch": [{{"userId": "{USER}", "zebra'.encode(), kind="body")
        self.replay(Selection(sources=("web",), users=(USER, "otto"), where=f'userId = "{USER}"'))

    def _answer(self, batch: Sequence[Envelope]) -> Sequence[Outcome]:
        return [Delivered() if self.ready else self._first_answer(one) for one in batch]

    def _first_answer(self, envelope: Envelope) -> Outcome:
        name, body = envelope.head.message_id, envelope.body.decode()
        said = Exchange(
            request=f"POST /\n\n{body}", answer="400" + (f" no such {TRAIT}" if envelope.head.user_id == USER else "")
        )
        if name.startswith("dead"):
            return Rejected(f"400: {name} of {envelope.head.user_id} is bad", "refused", said)
        if name.startswith("aside"):
            return Deferred(f"503 for {envelope.head.user_id}", exchange=said)
        return Delivered()


def everything(world: World) -> Iterator[tuple[str, bytes]]:
    """Every byte that is kept, with the name of its place."""
    for path in sorted(world.config.data.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
    for body in world.archived():
        yield "the archive", body
    for key in cast("list[bytes]", world.client.keys()):
        yield key.decode(errors="replace"), key + (world.client.dump(key) or b"")
    with reading(world.engine) as connection:
        for name in _tables(connection):
            for row in connection.execute(Table(name, MetaData(), autoload_with=connection).select()):
                yield name, repr(tuple(row)).encode()


def found(world: World, *wanted: str) -> list[tuple[str, str]]:
    forms = {form for each in wanted for form in (each.encode(), each.encode("utf-16-le"))}
    return sorted(
        {(place, form.decode(errors="replace")) for place, kept in everything(world) for form in forms if form in kept}
    )


def _tables(connection: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        asked = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    return [row[0] for row in connection.execute(text(asked))]
