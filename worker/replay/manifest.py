"""The files of the archive that a replay reads, and how far: frozen when it is planned."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

from destinations.archive.finder import candidates, slots
from destinations.archive.ids import digest
from destinations.archive.index import Frame, frames
from destinations.archive.layout import Slot
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of
from worker.lines import RETRY
from worker.replay.errors import ArchiveChanged
from worker.replay.selection import Selection


class File(msgspec.Struct, frozen=True, array_like=True):
    """One file of the archive; later frames are none of the replay's business."""

    source: str
    hour: str
    lane: str
    frames: int
    messages: int

    @property
    def slot(self) -> Slot:
        return Slot(self.source, self.hour, self.lane)


Manifest = tuple[File, ...]
"""By hour; its order decides the cursors."""


class Page(msgspec.Struct, frozen=True):
    """The messages of one frame."""

    source: str
    cursor: str
    """What the cursors of its messages begin with."""
    bodies: Sequence[bytes]
    positions: Sequence[str]
    """Where they stood in the log; "" where an old index does not tell."""

    def cursor_of(self, number: int) -> str:
        return f"{self.cursor}{number:06d}"


def freeze(root: Path, selection: Selection) -> Manifest:
    """What the archive holds now of the hours and sources that are wanted."""
    found = [_file(root, slot) for source in selection.sources for slot in slots(root, source) if _may(selection, slot)]
    if selection.message_ids:
        digests = [digest(message_id) for message_id in selection.message_ids]
        found = [file for file in found if any(candidates(root, file.slot, wanted) for wanted in digests)]
    return tuple(sorted((file for file in found if file.frames), key=lambda file: (file.hour, file.source, file.lane)))


def pages(root: Path, manifest: Manifest, after: str = "") -> Iterator[Page]:
    """The frames from the one of the cursor `after` on.

    Hour by hour; within an hour the lanes take turns, so that all partitions have something to deliver. A lane's
    frames come in their order, and so do each user's messages. Raises ArchiveChanged.
    """
    for hour, (_, grouped) in enumerate(groupby(manifest, key=lambda file: file.hour)):
        if f"{hour:06d}" >= after[:6]:
            files = list(grouped)
            indexes = [_known(root, file) for file in files]
            for number in range(max(file.frames for file in files)):
                for which, (file, index) in enumerate(zip(files, indexes, strict=True)):
                    cursor = f"{hour:06d}{number:08d}{which:05d}"
                    if number < len(index) and cursor >= after[: len(cursor)]:
                        frame = index[number]
                        yield Page(file.source, cursor, _bodies(root, file, frame), positions(frame))


def _may(selection: Selection, slot: Slot) -> bool:
    """Whether a file can hold something wanted. What a replay brought to the archive is there twice: it is left out."""
    inside = selection.since[:13] <= slot.hour and (not selection.until or f"{slot.hour}:00:00.000Z" < selection.until)
    return inside and slot.lane.partition("~")[2] in ("", RETRY)


def _file(root: Path, slot: Slot) -> File:
    known, _ = frames(slot.index(root).read_bytes())
    return File(slot.source, slot.hour, slot.lane, len(known), sum(frame.count for frame in known))


def _known(root: Path, file: File) -> list[Frame]:
    index = file.slot.index(root)
    with _read(index):
        known, _ = frames(index.read_bytes())
    if len(known) < file.frames:
        raise ArchiveChanged(f"{index} has {len(known)} lines, and had {file.frames} when this was planned")
    return known[: file.frames]


def _bodies(root: Path, file: File, frame: Frame) -> list[bytes]:
    path = file.slot.data(root)
    with _read(path):
        return bodies_of(path, frame)


@contextmanager
def _read(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveChanged(f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
