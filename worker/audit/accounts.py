"""Hold the counters that `turnout status` shows against what the stores hold."""

from collections.abc import Collection, Iterator, Mapping
from typing import cast

import msgspec
import redis

from worker import keys
from worker.audit.lines import BROKEN, Findings, Stretch
from worker.config import ARCHIVE
from worker.entryids import milliseconds_of
from worker.lines import line_of
from worker.stories.told import ENDS


class Seen(msgspec.Struct, frozen=True):
    """The counters of a line's account in one partition, and the last entry of its stream."""

    counts: Mapping[str, int]
    last: str
    """The id of the newest entry, if the log still has it."""

    def before(self, moment_ms: int) -> bool:
        """Whether all of it came before this moment."""
        return not self.last or milliseconds_of(self.last) < moment_ms


def seen(client: "redis.Redis", partition: int, line: str) -> Seen:
    """Both at one moment."""
    pipe = client.pipeline(transaction=True)
    pipe.hgetall(keys.count(partition, line_of(line).counted_under))
    pipe.xrevrange(keys.log(partition, line), count=1)
    counts, entries = pipe.execute()
    found = cast(dict[bytes, bytes], counts)
    return Seen({name.decode(): int(value) for name, value in found.items()}, entries[0][0].decode() if entries else "")


def differences(
    stretch: Stretch, findings: Findings, known: Seen, *, strayed: Collection[str], archived_again: int
) -> Iterator[str]:
    """A sentence for each counter that says something else than the stores.

    `strayed` are the destinations to which letters went from another partition: their ends count in two. What was
    `archived_again` stands in another line of the archive.
    """
    where = f"{stretch.line} in {keys.lane(stretch.partition)}"
    received = known.counts.get("received", 0)
    # What the archive refused, or came before it did, is nowhere once the log was trimmed.
    unarchived = sum(known.counts.get(f"{kind}:{ARCHIVE}", 0) for kind in ("dead", "base")) + archived_again
    if not findings.accepted <= received <= findings.accepted + unarchived:
        yield f"{where}: {received} received, but archive and log hold {findings.accepted}"
    for destination, places in findings.places.items():
        if places[BROKEN] or destination in strayed:
            continue
        for kind in ENDS:
            counted = known.counts.get(f"{kind}:{destination}", 0)
            if counted != places[kind]:
                yield f"{where} to {destination}: {counted} counted as {kind}, but {places[kind]} told of"
