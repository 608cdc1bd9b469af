"""A message on its way to one destination, from the log or from a retry lane, with what it has been through. Pure."""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec

from destinations.adapter import Order
from destinations.outcome import Deferred
from schemas.envelope import Envelope, decode_head
from schemas.message import identity
from worker import keys
from worker.entryids import milliseconds_of
from worker.lines import CATCHUP, Line, line_of

LONGEST_TRAIL = 20
"""So many failures of a message are remembered one by one, the last ones."""
LONGEST_REASON = 500


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """One attempt that came to nothing."""

    at_ms: int
    attempt: int
    reason: str


class Entry(msgspec.Struct, frozen=True):
    """One stream entry: its messages, and the numbers of those not finished yet (None: all)."""

    id: str
    lines: list[bytes]
    left: frozenset[int] | None = None
    canary: int = 0
    """When (ms) it was sent, if it carries no message but only tests the way."""
    origin: str = ""
    """The line that its messages come from, where that is another: what becomes of them is told there."""
    origins: tuple[str, ...] = ()
    """Their positions in that line."""

    def unfinished(self) -> Sequence[int]:
        if self.left is None:
            return range(len(self.lines))
        return [number for number in range(len(self.lines)) if number in self.left]


class Put(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as a retry lane holds it, in JSON."""

    position: str
    line: str
    received_ms: int
    message: msgspec.Raw
    attempts: int = 0
    bugs: int = 0
    first_failed_ms: int = 0
    trail: tuple[Failure, ...] = ()


class Parcel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message on its way: where it lies, and what the destination gets."""

    line: str
    entry: str
    number: int
    envelope: Envelope
    lane: str = ""
    """The retry lane that it comes from; empty for what comes from the log."""
    attempts: int = 0
    bugs: int = 0
    """How many of the attempts failed because of the adapter."""
    first_failed_ms: int = 0
    trail: tuple[Failure, ...] = ()
    received_ms: int = 0
    origin: str = ""
    """Its position in `line`, where it lies in another one now. An adapter is not told: it goes by what it gets."""

    @property
    def position(self) -> str:
        """Where it stands in its line."""
        return self.origin or self.envelope.position

    def put(self) -> bytes:
        """What a retry lane keeps of it."""
        return msgspec.json.encode(
            Put(
                position=self.position,
                line=self.line,
                received_ms=self.received_ms,
                message=msgspec.Raw(self.envelope.body),
                attempts=self.attempts,
                bugs=self.bugs,
                first_failed_ms=self.first_failed_ms,
                trail=self.trail,
            )
        )

    def failed(self, outcome: Deferred, at_ms: int) -> "Parcel":
        """The same after one more failure."""
        failure = Failure(at_ms, self.attempts + 1, outcome.reason[:LONGEST_REASON])
        return msgspec.structs.replace(
            self,
            attempts=self.attempts + 1,
            bugs=self.bugs + (outcome.scope == "adapter"),
            first_failed_ms=self.first_failed_ms or at_ms,
            trail=(*self.trail, failure)[-LONGEST_TRAIL:],
        )


def parcels_of(partition: int, line_name: str, entries: Sequence[Entry], *, attempts: int) -> Iterator[Parcel]:
    """The unfinished messages of some entries, in log order; `attempts` is how often they have been tried."""
    here = line_of(line_name)
    way = _way(partition, here)
    for entry in entries:
        line = line_of(entry.origin) if entry.origin else here
        received_ms = milliseconds_of(entry.id)
        for number in entry.unfinished():
            origin = entry.origins[number] if entry.origin else ""
            # A letter that is sent again gets a new chance; what an outage held up has grown old meanwhile.
            grown_old = bool(origin) and here.way == CATCHUP
            yield Parcel(
                line=entry.origin or line_name,
                entry=entry.id,
                number=number,
                envelope=_envelope(line, way, f"{entry.id}/{number}", entry.lines[number], attempts),
                attempts=attempts,
                received_ms=milliseconds_of(origin) if grown_old else received_ms,
                origin=origin,
            )


def parcel_of(partition: int, lane: str, record: bytes) -> Parcel:
    """What a retry lane holds."""
    put = msgspec.json.decode(record, type=Put)
    line = line_of(put.line)
    entry, _, number = put.position.partition("/")
    return Parcel(
        line=put.line,
        entry=entry,
        number=int(number),
        envelope=_envelope(line, _way(partition, line), put.position, bytes(put.message), put.attempts),
        lane=lane,
        attempts=put.attempts,
        bugs=put.bugs,
        first_failed_ms=put.first_failed_ms,
        trail=put.trail,
        received_ms=put.received_ms,
    )


def lane_of(parcel: Parcel, order: Order) -> str:
    """One lane a user, so that what a user sent stays in order; where order does not matter, one a message."""
    if parcel.lane:
        return parcel.lane
    if order == "none":
        return f"{parcel.line}/{parcel.position}"
    who = f"{parcel.envelope.source}\0{identity(parcel.envelope.head)}"
    return hashlib.blake2b(who.encode(), digest_size=12).hexdigest()


def _way(partition: int, line: Line) -> str:
    return f"{keys.lane(partition)}~{line.way}" if line.way else keys.lane(partition)


def _envelope(line: Line, way: str, position: str, body: bytes, attempts: int) -> Envelope:
    return Envelope(
        source=line.source,
        body=body,
        head=decode_head(body),
        lane=way,
        position=position,
        attempt=attempts + 1,
        replay=line.replay or "",
    )
