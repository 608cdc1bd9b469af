"""Find a message in the archive by its id, without opening more than the files that hold it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from destinations.archive import ids
from destinations.archive.index import Frame, frames
from destinations.archive.layout import HOUR, LANE, NAME, Slot
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of, count_of


class Found(msgspec.Struct, frozen=True):
    """A message in the archive, and where it lies."""

    source: str
    lane: str
    hour: str
    position: str
    """`entry/number`; "" where the index line is so old that nobody can tell."""
    body: bytes
    frame: Frame


class _Named(msgspec.Struct, rename="camel"):
    message_id: str


_named = msgspec.json.Decoder(_Named).decode


def find(root: Path, source: str | None, message_id: str, *, since: str = "", until: str = "~") -> Iterator[Found]:
    """Every copy of the message, the newest hour first. `since` and `until`: hours such as "2024-02-29T23"."""
    wanted = ids.digest(message_id)
    for slot in slots(root, source):
        if since <= slot.hour <= until:
            for number in candidates(root, slot, wanted):
                found = _at(root, slot, number)
                if found and _named(found.body).message_id == message_id:
                    yield found


def slots(root: Path, source: str | None = None) -> Iterator[Slot]:
    """The files of the archive, the newest hour first; of one source or of all."""
    if source is not None and not NAME.fullmatch(source):
        raise ValueError("the name of a source is made of letters, digits, - and _")
    days = sorted(root.glob(f"{source or '*'}/*"), key=lambda path: path.name, reverse=True)
    for day in days:
        for directory in sorted(day.glob("*"), reverse=True):
            hour = f"{day.name}T{directory.name}"
            if HOUR.fullmatch(hour):
                for index in sorted(directory.glob("*.index")):
                    if LANE.fullmatch(index.stem):
                        yield Slot(day.parent.name, hour, index.stem)


def candidates(root: Path, slot: Slot, wanted: bytes) -> list[int]:
    """The numbers of the file's messages whose id may have this digest, the last first."""
    found = ids.numbers(slot.ids(root), wanted, count_of(slot.index(root)))
    if found is not None:
        return found
    known, _ = frames(slot.index(root).read_bytes())
    digests = [ids.digest(_named(body).message_id) for frame in known for body in bodies_of(slot.data(root), frame)]
    ids.write(slot.ids(root), digests)
    return [number for number in reversed(range(len(digests))) if digests[number] == wanted]


def _at(root: Path, slot: Slot, number: int) -> Found | None:
    known, _ = frames(slot.index(root).read_bytes())
    before = 0
    for frame in known:
        if number < before + frame.count:
            body = bodies_of(slot.data(root), frame)[number - before]
            return Found(slot.source, slot.lane, slot.hour, positions(frame)[number - before], body, frame)
        before += frame.count
    return None
