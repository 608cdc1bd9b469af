"""Append to one file of the archive so that a batch that is repeated, or torn by a crash, is there once."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import zstandard

from destinations.archive import ids
from destinations.archive.index import Covered, DamagedArchiveError, Frame, Item, frames, lines
from destinations.archive.layout import Slot, ordinal
from destinations.archive.places import places
from destinations.disk import fsync_directory, locked, make_directories, opened, write_all


class Segment:
    """One data file and its index. Only what the index vouches for counts as written."""

    def __init__(self, root: Path, slot: Slot) -> None:
        self._root = root
        self._data = slot.data(root)
        self._index = slot.index(root)
        self._ids = slot.ids(root)
        self._interrupted = False  # True while, and after, an append that did not come to its end
        self._forget()

    def append(self, items: Sequence[Item], compressor: zstandard.ZstdCompressor) -> None:
        """Write the items that are not there yet, and return when the disk has them.

        OSError or DamagedArchiveError: nothing counts as written, and the same items may come again.
        """
        self._prepare()
        with locked(self._index) as index:
            if self._interrupted:
                self._forget()
            self._interrupted = True
            self._catch_up(index)
            runs = self._covered.runs(items)
            if runs:
                self._write(index, runs, compressor)
            self._settle_names()
            self._interrupted = False

    def _forget(self) -> None:
        """Know nothing of the file; the next append reads its index again."""
        self._covered = Covered()
        self._data_end = 0
        self._count = 0
        self._index_end = 0
        self._index_inode = 0
        self._names_settled = False

    def _prepare(self) -> None:
        directory = self._data.parent
        make_directories(directory)
        if not directory.resolve().is_relative_to(self._root.resolve()):
            raise DamagedArchiveError(f"{directory} leads out of the archive")
        if not self._index.exists() and self._data.exists() and self._data.stat().st_size:
            raise DamagedArchiveError(f"{self._data} has no index beside it: move it away, or restore the index")

    def _catch_up(self, index: int) -> None:
        """Take in what another process added to the index, and cut a torn last line off."""
        found = os.fstat(index)
        if found.st_ino != self._index_inode or found.st_size < self._index_end:
            self._forget()
            self._index_inode = found.st_ino
        if found.st_size == self._index_end:
            return
        added, taken = frames(os.pread(index, found.st_size - self._index_end, self._index_end))
        self._index_end += taken
        os.ftruncate(index, self._index_end)
        # Who wrote these lines may have been killed before the disk had them.
        os.fsync(index)
        for frame in added:
            self._covered.add(ordinal(frame.first), ordinal(frame.last))
            # Frames whose messages were exchanged lie behind those that came after them.
            self._data_end = max(self._data_end, frame.end)
            self._count += frame.count

    def _write(self, index: int, runs: Sequence[Sequence[Item]], compressor: zstandard.ZstdCompressor) -> None:
        payloads = [compressor.compress(b"".join([item.body + b"\n" for item in run])) for run in runs]
        added = list(_frames(runs, payloads, self._data_end, self._count))
        self._write_data(b"".join(payloads))
        ids.write(self._ids, [ids.digest(item.message_id) for run in runs for item in run], before=self._count)
        entry = lines(added)
        try:
            write_all(index, entry, self._index_end)
            os.fsync(index)
        except OSError:
            # Lines that may not outlive a power cut must not vouch for anything.
            os.ftruncate(index, self._index_end)
            raise
        self._index_end += len(entry)
        self._data_end = added[-1].end
        self._count = added[-1].upto

    def _write_data(self, payload: bytes) -> None:
        with opened(self._data) as data:
            size = os.fstat(data).st_size
            if size < self._data_end:
                raise DamagedArchiveError(f"{self._data} is shorter than its index says")
            if size > self._data_end:
                os.ftruncate(data, self._data_end)
            write_all(data, payload, self._data_end)
            os.fsync(data)

    def _settle_names(self) -> None:
        """The files and directories are new to this process: their names must outlive a power cut too."""
        if self._names_settled:
            return
        directory = self._data.parent
        while directory != self._root.parent:
            fsync_directory(directory)
            directory = directory.parent
        self._names_settled = True


def _frames(runs: Sequence[Sequence[Item]], payloads: Sequence[bytes], offset: int, count: int) -> Iterator[Frame]:
    for run, payload in zip(runs, payloads, strict=True):
        count += len(run)
        yield Frame(offset, len(payload), run[0].position, run[-1].position, len(run), count, places(run))
        offset += len(payload)
