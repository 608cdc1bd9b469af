"""Keep every message on disk, compressed, by source and hour: what replays and catch-ups read."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import zstandard
from msgspec import Meta

from destinations.adapter import Destination
from destinations.archive.index import DamagedArchiveError, Item
from destinations.archive.layout import Slot, slot_of
from destinations.archive.segment import Segment
from destinations.disk import write_trouble
from destinations.outcome import Deferred, Delivered, Outcome, Rejected
from schemas.envelope import Envelope

# What is known of a file is kept in memory for so many files; the rest is read again when it is needed.
_OPEN_SEGMENTS = 256


class ArchiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    dir: Annotated[str, Meta(min_length=1, description="The directory to keep the messages in.")]
    level: Annotated[int, Meta(ge=1, le=19, description="How hard zstd compresses.")] = 3


class Archive(Destination[ArchiveSettings]):
    shape = ArchiveSettings
    storage = True
    places = True
    order = "line"  # what is written counts as covering all positions up to it
    batch_messages = 5_000

    def __init__(self, name: str, settings: ArchiveSettings) -> None:
        super().__init__(name, settings)
        self._root = Path(settings.dir).expanduser()
        self._compressor = zstandard.ZstdCompressor(level=settings.level, write_checksum=True)
        self._segments: OrderedDict[Slot, Segment] = OrderedDict()

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        outcomes: list[Outcome] = [Delivered()] * len(batch)
        slots: dict[Slot, list[int]] = {}
        for index, envelope in enumerate(batch):
            match slot_of(envelope):
                case Slot() as slot:
                    slots.setdefault(slot, []).append(index)
                case Deferred() | Rejected() as unsafe:
                    outcomes[index] = unsafe
        for slot, indexes in slots.items():
            appended = self._append(slot, [batch[index] for index in indexes], deadline)
            for index in indexes:
                outcomes[index] = appended
        return outcomes

    def check(self) -> str | None:
        return write_trouble(self._root)

    def _append(self, slot: Slot, envelopes: Sequence[Envelope], deadline: float) -> Outcome:
        if time.monotonic() >= deadline:
            return Deferred("no time left", 0.0)
        items = [Item(envelope.position, envelope.body, envelope.head.message_id) for envelope in envelopes]
        try:
            self._segment(slot).append(items, self._compressor)
        except OSError as error:
            return Deferred(f"{slot.data(self._root)}: {error.strerror or type(error).__name__}", scope="destination")
        except DamagedArchiveError as error:
            return Deferred(str(error), scope="destination")
        except ValueError:
            return Deferred("a message's position is not of the form 1700000000000-0/3")
        return Delivered()

    def _segment(self, slot: Slot) -> Segment:
        segment = self._segments.pop(slot, None) or Segment(self._root, slot)
        self._segments[slot] = segment
        if len(self._segments) > _OPEN_SEGMENTS:
            self._segments.popitem(last=False)
        return segment
