"""Put placeholders in the place of a person's messages that wait aside in retry lanes."""

from collections.abc import Callable, Iterator
from typing import cast

import msgspec
import redis

from worker import scripts
from worker.parcel import Put

Replace = Callable[[bytes], bytes | None]


def rewrite(client: "redis.Redis", replace: Replace) -> int:
    """How many messages were exchanged, in all retry lanes. Raises redis.RedisError."""
    found = cast("Iterator[bytes]", client.scan_iter(match="{p*}:lane:*", count=1_000))
    return sum(_rewrite(client, lane.decode(), replace) for lane in sorted(set(found)))


def _rewrite(client: "redis.Redis", lane: str, replace: Replace) -> int:
    records = cast("list[bytes]", client.lrange(lane, 0, -1))
    pairs = [(record, new) for record in records if (new := _replaced(record, replace)) is not None]
    if not pairs:
        return 0
    flat = [part for pair in pairs for part in pair]
    return int(cast(int, scripts.run(client, scripts.INSTEAD, [lane], flat)))


def _replaced(record: bytes, replace: Replace) -> bytes | None:
    """The trail goes too: a reason may quote what the destination answered."""
    put = msgspec.json.decode(record, type=Put)
    new = replace(bytes(put.message))
    if new is None:
        return None
    return msgspec.json.encode(msgspec.structs.replace(put, message=msgspec.Raw(new), trail=()))
