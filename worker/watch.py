"""Watch messages as they enter the log, without disturbing it."""

from collections.abc import Iterator
from typing import Any, cast

import redis

from worker import keys
from worker.config import Config
from worker.entryids import order_of

WAIT_MS = 1_000


def follow(client: "redis.Redis", config: Config, *, last: int = 0) -> Iterator[tuple[str, bytes]]:
    """Source and body of the `last` messages before now, then of each new one, for ever.

    Yields ("", b"") about once a second while nothing comes, so that the caller can look up.
    """
    streams = {
        keys.log(partition, source): source for partition in range(config.log.partitions) for source in config.sources
    }
    positions: dict[str, bytes] = {}
    recent: list[tuple[bytes, str, bytes]] = []
    for stream, source in streams.items():
        newest = _newest(client, stream, last)
        positions[stream] = newest[0][0] if newest else b"0-0"
        for entry_id, fields in newest:
            recent += [(entry_id, source, line) for line in _lines(fields)]
    recent.sort(key=lambda row: order_of(row[0]))
    yield from ((source, line) for _, source, line in (recent[-last:] if last else []))
    yield from _live(client, streams, positions)


def _newest(client: "redis.Redis", stream: str, last: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The newest entries, newest first; one at least, whose id says where to go on."""
    return cast(list[tuple[bytes, dict[bytes, bytes]]], client.xrevrange(stream, count=max(1, last)))


def _live(client: "redis.Redis", streams: dict[str, str], positions: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    while True:
        answer = cast(list[tuple[bytes, list[Any]]], client.xread(cast(Any, positions), count=100, block=WAIT_MS))
        for name, entries in answer or []:
            stream = name.decode()
            for entry_id, fields in entries:
                positions[stream] = entry_id
                yield from ((streams[stream], line) for line in _lines(fields))
        if not answer:
            yield "", b""


def _lines(fields: dict[bytes, bytes]) -> list[bytes]:
    """None in a canary."""
    return fields[b"m"].split(b"\n") if fields[b"m"] else []
