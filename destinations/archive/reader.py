"""Read messages back from the archive."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from destinations.archive.index import frames
from destinations.archive.layout import HOUR, NAME


class _Received(msgspec.Struct, rename="camel"):
    received_at: str


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
    if not known:
        return
    decompressor = zstandard.ZstdDecompressor()
    with index.with_suffix(".jsonl.zst").open("rb") as data:
        for frame in known:
            data.seek(frame.offset)
            yield from decompressor.decompress(data.read(frame.length)).split(b"\n")[:-1]


def _stamp(moment: datetime.datetime) -> str:
    """The time as messages write it, so that the two compare as text."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
