"""A small log with an archive and a hook, in which a test decides what becomes of each message."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import redis
from sqlalchemy import Engine, delete, insert

from destinations.builtin.archive import Archive, ArchiveSettings
from destinations.sql.engine import writing
from schemas.envelope import Envelope, decode_head
from tests.worker import rig
from tests.worker.stories import rig as stories
from worker import keys
from worker.audit.auditing import Asked, audit
from worker.audit.report import Report
from worker.config import Config, DestinationTable, LogSettings, Source
from worker.database.story_tables import PASSAGES
from worker.database.tables import DEAD_LETTERS
from worker.stories.stores import stores_of
from worker.story import Part, Passage, sortable

EVERYTHING = Asked()


def config(tmp_path: Path) -> Config:
    return Config(
        data=tmp_path,
        log=LogSettings(partitions=1),
        sources={"web": Source(destinations=("hook", "archive"))},
        destinations={
            "hook": DestinationTable(type="console"),
            "archive": DestinationTable(type="archive", settings={"dir": str(tmp_path / "archive")}),
        },
    )


class World:
    """Partition 0 of `web`, which goes to `hook` and to `archive`."""

    def __init__(self, client: "redis.Redis", engine: Engine, config: Config) -> None:
        self.client = client
        self.engine = engine
        self.config = config
        self.terms = rig.terms("hook", "archive")
        self._archive = Archive("archive", ArchiveSettings(dir=str(config.destinations["archive"].settings["dir"])))
        self.stores = stores_of(client, engine, config)
        self._numbers = itertools.count()

    def accept(self, *names: str) -> list[str]:
        """One entry for all; their positions."""
        rig.append(self.client, self.terms, *names)
        rows: Any = self.client.xrevrange(keys.log(0, "web"), count=1)
        return [f"{rows[0][0].decode()}/{number}" for number in range(len(names))]

    def carry(self, destination: str, *parts: Part, first: str, last: str) -> None:
        """The destination ends with everything that it was not given yet; what became of it is told."""
        entries: Any = self.client.xreadgroup(destination, "c", {keys.log(0, "web"): ">"})
        for _, rows in entries:
            for entry_id, fields in rows:
                if destination == "archive":
                    self._keep(entry_id.decode(), fields[b"m"].split(b"\n"))
                self.client.xack(keys.log(0, "web"), destination, entry_id)
        self.tell(
            Passage(line="web", destination=destination, at_ms=rig.server_ms(), parts=parts, first=first, last=last)
        )

    def tell(self, passage: Passage) -> None:
        stories.tell(self.client, passage)

    def count(self, **counts: int) -> None:
        """`delivered_hook=3`"""
        for name, number in counts.items():
            self.client.hincrby(keys.count(0, "web"), name.replace("_", ":"), number)

    def archive(self, positions: Sequence[str]) -> None:
        self.carry("archive", Part("delivered"), first=positions[0], last=positions[-1])
        self.count(delivered_archive=len(positions))

    def deliver(self, positions: Sequence[str]) -> None:
        self.carry("hook", Part("delivered"), first=positions[0], last=positions[-1])
        self.count(delivered_hook=len(positions))

    def trim(self) -> None:
        self.client.xtrim(keys.log(0, "web"), maxlen=0, approximate=False)

    def forget(self, position: str) -> None:
        """Take what is told of one message out of the database."""
        with writing(self.engine) as connection:
            connection.execute(delete(PASSAGES).where(PASSAGES.c.first == sortable(position)))

    def letter(self, name: str, position: str, **more: object) -> None:
        values = {
            column.name: "" if str(column.type) == "TEXT" else 0
            for column in DEAD_LETTERS.columns
            if column.name not in ("id", "body", "edited")
        }
        about = {"destination": "hook", "line": "web", "position": position, "source": "web", "message_id": name}
        with writing(self.engine) as connection:
            connection.execute(insert(DEAD_LETTERS).values(**values | about | more, body=rig.body(name), edited=False))

    def audited(self, asked: Asked = EVERYTHING) -> Report:
        rig.server_ms()
        return audit(self.stores, asked)

    def _keep(self, entry_id: str, bodies: Sequence[bytes]) -> None:
        envelopes = [
            Envelope(source="web", body=body, head=decode_head(body), lane="p00", position=f"{entry_id}/{number}")
            for number, body in enumerate(bodies)
        ]
        self._archive.deliver(envelopes, deadline=float("inf"))


def account(report: Report, destination: str) -> dict[str, Any]:
    (found,) = [one for one in report.accounts if one.destination == destination]
    return {name: value for name, value in msgspec.to_builtins(found).items() if value and isinstance(value, int)}
