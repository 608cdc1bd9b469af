"""Read messages back from the archive."""

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from destinations.archive.index import DamagedArchiveError, Frame, frames
from destinations.archive.layout import HOUR, NAME


class _Received(msgspec.Struct, rename="camel"):
    received_at: str


# More than the longest line takes.
_LAST_LINES = 65_536

_received = msgspec.json.Decoder(_Received).decode


def bodies(root: Path, source: str, since: datetime.datetime, until: datetime.datetime) -> Iterator[bytes]:
    """The messages of `source` received from `since` until before `until`, hour by hour.

    Within an hour each lane's messages come in the order in which they were accepted.
    """
    low, high = _stamp(since), _stamp(until)
    for index in indexes(root, source, low, high):
        for body in messages(index):
            if low <= _received(body).received_at < high:
                yield body


def indexes(root: Path, source: str, low: str, high: str) -> Iterator[Path]:
    """The indexes of the hours that have to do with the time between."""
    if not NAME.fullmatch(source):
        raise ValueError("the name of a source is made of letters, digits, - and _")
    for directory in sorted((root / source).glob("*/*")):
        hour = f"{directory.parent.name}T{directory.name}"
        if HOUR.fullmatch(hour) and low[:13] <= hour and hour < high:
            yield from sorted(directory.glob("*.index"))


def messages(index: Path) -> Iterator[bytes]:
    """What the index vouches for; the end of a write that was torn, or is going on, is not seen."""
    known, _ = frames(index.read_bytes())
    for frame in known:
        yield from bodies_of(index.with_suffix(".jsonl.zst"), frame)


def bodies_of(data: Path, frame: Frame) -> list[bytes]:
    """The messages of one frame. DamagedArchiveError when the file does not hold what its index says."""
    try:
        return _read(data, frame)
    except DamagedArchiveError:
        # Whoever read the index earlier may look where messages were erased since.
        moved = _moved(data, frame)
        if moved is None:
            raise
        return _read(data, moved)


def _read(data: Path, frame: Frame) -> list[bytes]:
    with data.open("rb") as file:
        file.seek(frame.offset)
        compressed = file.read(frame.length)
    try:
        found = zstandard.ZstdDecompressor().decompress(compressed).split(b"\n")[:-1]
    except zstandard.ZstdError as error:
        raise DamagedArchiveError(f"{data} is damaged at byte {frame.offset}") from error
    if len(found) != frame.count:
        raise DamagedArchiveError(f"{data} holds {len(found)} messages at byte {frame.offset}, not {frame.count}")
    return found


def _moved(data: Path, frame: Frame) -> Frame | None:
    """Where the frame lies now, if that is elsewhere."""
    index = data.with_name(data.name.removesuffix(".jsonl.zst") + ".index")
    known, _ = frames(index.read_bytes()) if index.exists() else ([], 0)
    alike = (one for one in known if (one.first, one.last, one.count, one.upto) == _ends(frame))
    return next((one for one in alike if one.offset != frame.offset), None)


def _ends(frame: Frame) -> tuple[str, str, int, int]:
    return frame.first, frame.last, frame.count, frame.upto


def count_of(index: Path) -> int:
    """How many messages the index vouches for; as a rule its last line says so."""
    with index.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LAST_LINES))
        whole = file.read().rpartition(b"\n")[0]
    last = whole[whole.rfind(b"\n") + 1 :]
    if len(last) < len(whole) or size <= _LAST_LINES:
        known, _ = frames(last + b"\n" if last else b"")
        if not known or known[-1].upto:
            return known[-1].upto if known else 0
    return sum(frame.count for frame in frames(index.read_bytes())[0])


def _stamp(moment: datetime.datetime) -> str:
    """The time as messages write it, so that the two compare as text."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
