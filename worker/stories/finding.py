"""Find a message by its id, wherever it may lie: archive, log, retry lanes, dead letters."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import redis
from sqlalchemy import Connection, select

from destinations.archive import finder
from worker import keys
from worker.config import Config
from worker.database.tables import DEAD_LETTERS
from worker.lines import line_of
from worker.stories.archives import archive_of

LOOK_AT = 200
"""Entries of one question: they bring their messages along."""

MOST_ENTRIES = 20_000
"""The newest ones of a stream: what is older than that is in the archive, if there is one."""

Rows = list[tuple[bytes, dict[bytes, bytes]]]


class Found(msgspec.Struct, frozen=True):
    """A message, and where it stands in which line."""

    line: str
    partition: int
    position: str
    body: bytes
    place: str
    """What it was found in, in words."""


class _Named(msgspec.Struct, rename="camel"):
    message_id: str = ""


class _Put(msgspec.Struct):
    """What is looked at of a message in a retry lane (`worker.parcel.Put`)."""

    position: str
    line: str
    message: msgspec.Raw


_named = msgspec.json.Decoder(_Named).decode
_put = msgspec.json.Decoder(_Put).decode


class Searching:
    """One search, in all places that a configuration knows of."""

    def __init__(self, client: "redis.Redis", connection: Connection, config: Config, *, source: str | None) -> None:
        self._client = client
        self._connection = connection
        self._config = config
        self._sources = [source] if source else sorted(config.sources)
        self.looked_in: list[str] = []

    def found(self, message_id: str) -> Iterator[Found]:
        """Every place where it is, so the same copy perhaps several times."""
        yield from self._in_archives(message_id)
        self.looked_in.append("the log and its retry lanes")
        for partition in range(self._config.log.partitions):
            for line in self._lines(partition):
                yield from self._in_log(message_id, partition, line)
            yield from self._in_lanes(message_id, partition)
        self.looked_in.append("the dead letters")
        yield from self._in_letters(message_id)

    def _in_archives(self, message_id: str) -> Iterator[Found]:
        for source in self._sources:
            root = archive_of(self._config, source)
            if root is not None:
                self.looked_in.append(f"the archive of {source} in {root}")
                yield from _in_archive(root, source, message_id)

    def _lines(self, partition: int) -> Iterator[str]:
        others = cast(set[bytes], self._client.smembers(keys.lines(partition)))
        for line in (*self._sources, *sorted(name.decode() for name in others)):
            if line_of(line).source in self._sources:
                yield line

    def _in_log(self, message_id: str, partition: int, line: str) -> Iterator[Found]:
        wanted = msgspec.json.encode(message_id)[1:-1]
        place = f"the line {line}" if line_of(line).way else "the log"
        for entry_id, fields in _newest(self._client, keys.log(partition, line)):
            if wanted in fields[b"m"]:
                origin, origins = fields.get(b"l", b"").decode(), fields.get(b"o", b"").decode().split()
                for number, body in enumerate(fields[b"m"].split(b"\n")):
                    if wanted in body and _named(body).message_id == message_id:
                        position = origins[number] if origin else f"{entry_id}/{number}"
                        yield Found(origin or line, partition, position, body, place)

    def _in_lanes(self, message_id: str, partition: int) -> Iterator[Found]:
        wanted = msgspec.json.encode(message_id)[1:-1]
        for destination in self._destinations():
            lanes = cast(Iterator[tuple[bytes, float]], self._client.zscan_iter(keys.aside(partition, destination)))
            for lane, _ in lanes:
                held = self._client.lrange(keys.lane_of(partition, destination, lane.decode()), 0, -1)
                for record in cast(list[bytes], held):
                    if wanted in record:
                        yield from self._lying(message_id, partition, destination, record)

    def _lying(self, message_id: str, partition: int, destination: str, record: bytes) -> Iterator[Found]:
        put = _put(record)
        if _named(put.message).message_id == message_id and line_of(put.line).source in self._sources:
            yield Found(put.line, partition, put.position, bytes(put.message), f"the retry lane of {destination}")

    def _destinations(self) -> Sequence[str]:
        return sorted({name for source in self._sources for name in self._config.sources[source].destinations})

    def _in_letters(self, message_id: str) -> Iterator[Found]:
        asked = select(DEAD_LETTERS).where(
            DEAD_LETTERS.c.message_id == message_id, DEAD_LETTERS.c.source.in_(self._sources)
        )
        for row in self._connection.execute(asked.order_by(DEAD_LETTERS.c.id)):
            yield Found(row.line, row.partition, row.position, row.body, f"dead letter {row.id}")


def _in_archive(root: Path, source: str, message_id: str) -> Iterator[Found]:
    for found in finder.find(root, source, message_id):
        lane, _, way = found.lane.partition("~")
        if not way and found.position:
            yield Found(source, int(lane[1:]), found.position, found.body, "the archive")


def _newest(client: "redis.Redis", stream: str) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """The entries with messages, newest first."""
    end = "+"
    for _ in range(0, MOST_ENTRIES, LOOK_AT):
        rows = cast(Rows, client.xrevrange(stream, max=end, count=LOOK_AT))
        for entry_id, fields in rows:
            if fields.get(b"m"):
                yield entry_id.decode(), fields
        if len(rows) < LOOK_AT:
            return
        end = f"({rows[-1][0].decode()}"
