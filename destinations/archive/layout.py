"""Where in the archive a message belongs: by source, lane, and the hour in which it was received. Pure."""

import functools
import re
from pathlib import Path

import msgspec

from destinations.outcome import Deferred, Rejected
from schemas.envelope import Envelope

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LANE = re.compile(rf"{NAME.pattern}(~{NAME.pattern})?")
"""`p03`; and `p03~retry`, `p03~r5f3a` for what came to the archive a second time."""
HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d")

# entry time, entry sequence, index within the entry
Ordinal = tuple[int, int, int]


class Slot(msgspec.Struct, frozen=True):
    """One file of the archive."""

    source: str
    hour: str  # "2024-02-29T23", by the server's clock
    lane: str

    def directory(self, root: Path) -> Path:
        return root / self.source / self.hour[:10] / self.hour[11:]

    def data(self, root: Path) -> Path:
        return self.directory(root) / f"{self.lane}.jsonl.zst"

    def index(self, root: Path) -> Path:
        return self.directory(root) / f"{self.lane}.index"

    def ids(self, root: Path) -> Path:
        return self.directory(root) / f"{self.lane}.ids"


def slot_of(envelope: Envelope) -> Slot | Deferred | Rejected:
    """The message's file, unless one of the names would not be safe in a path."""
    return _slot(envelope.source, envelope.head.received_at[:13], envelope.lane)


# Most messages of a batch belong to the same few files.
@functools.lru_cache(maxsize=1_024)
def _slot(source: str, hour: str, lane: str) -> Slot | Deferred | Rejected:
    if not HOUR.fullmatch(hour):
        return Rejected("receivedAt is not a time of the form 2024-02-29T23:59:59.999Z", "received_at")
    if not NAME.fullmatch(source):
        return Deferred("the name of the source cannot be that of a directory")
    if not LANE.fullmatch(lane):
        return Deferred("the name of the lane cannot be that of a file")
    return Slot(source, hour, lane)


def ordinal(position: str) -> Ordinal:
    """ "1700000000000-12/3" as numbers: as text, 9 would come after 10."""
    time, _, rest = position.partition("-")
    sequence, _, index = rest.partition("/")
    return int(time), int(sequence), int(index)
