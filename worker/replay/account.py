"""What the log says of a replay: how many were carried, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import msgspec
import redis

from worker import keys
from worker.replay.replay import Replay


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """carried = delivered + filtered + dead + dropped + waiting."""

    carried: int
    delivered: int
    filtered: int
    dead: int
    dropped: int
    """What waited when the replay was cancelled."""

    @property
    def ended(self) -> int:
        return self.delivered + self.filtered + self.dead + self.dropped

    @property
    def waiting(self) -> int:
        return self.carried - self.ended


def delivered_before(client: "redis.Redis", sources: Sequence[str], destination: str, partitions: int) -> int:
    """How many messages of these sources the destination has had, replays not counted."""
    found = 0
    for source in sources:
        for partition in range(partitions):
            found += int(
                cast(bytes | None, client.hget(keys.count(partition, source), f"delivered:{destination}")) or 0
            )
    return found


def account_of(client: "redis.Redis", replay: Replay, partitions: int) -> Account:
    with client.pipeline(transaction=False) as pipeline:
        for partition, line in replay.lines(partitions):
            pipeline.hgetall(keys.count(partition, line.counted_under))
        found = cast(list[dict[bytes, bytes]], pipeline.execute())
    total: Counter[str] = Counter()
    for counts in found:
        total.update({field.decode(): int(value) for field, value in counts.items()})
    to = replay.destination
    return Account(
        carried=total["received"],
        delivered=total[f"delivered:{to}"],
        filtered=total[f"filtered:{to}"],
        dead=total[f"dead:{to}"],
        dropped=total[f"base:{to}"],
    )
