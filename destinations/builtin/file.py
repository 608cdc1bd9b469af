"""Append every message as a line of JSON to a file."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from destinations.adapter import Destination
from destinations.disk import fsync_directory, locked, make_directories, write_all, write_trouble
from destinations.errors import Unfit
from destinations.outcome import Deferred, Delivered, Outcome
from schemas.envelope import Envelope

_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TAIL_BYTES = 65_536


class FilePath(str):
    """A path, in which {source} stands for the name of a message's source."""

    __slots__ = ()
    expected: ClassVar[str] = "the path of a file"

    @classmethod
    def read(cls, value: object) -> Self:
        if not isinstance(value, str) or not value or "\0" in value or value.endswith("/"):
            raise Unfit(f"must be {cls.expected}")
        rest = value.replace("{source}", "")
        if "{" in rest or "}" in rest:
            raise Unfit("may hold {source}, and no other braces: a path never depends on what a message says")
        return cls(value)

    def of(self, source: str) -> Path:
        return Path(self.replace("{source}", source)).expanduser()


class FileSettings(msgspec.Struct, frozen=True, kw_only=True):
    path: Annotated[FilePath, Meta(description="Where to write; {source} stands for the source's name.")]
    fsync: Annotated[bool, Meta(description="Wait until the disk has it, so that a power cut loses nothing.")] = True


class File(Destination[FileSettings]):
    shape = FileSettings
    batch_messages = 5_000

    def __init__(self, name: str, settings: FileSettings) -> None:
        super().__init__(name, settings)
        self._settled: set[Path] = set()

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        if "{source}" not in self.settings.path:
            return [self._append(self.settings.path.of(""), batch)] * len(batch)
        sources = dict.fromkeys(envelope.source for envelope in batch)
        outcomes = {
            source: self._of_source(source, [one for one in batch if one.source == source]) for source in sources
        }
        return [outcomes[envelope.source] for envelope in batch]

    def check(self) -> str | None:
        path = self.settings.path.of("check")
        return f"{path} is a directory" if path.is_dir() else write_trouble(path)

    def _of_source(self, source: str, envelopes: Sequence[Envelope]) -> Outcome:
        if not _SOURCE.fullmatch(source):
            return Deferred("the name of the source cannot be part of a path")
        return self._append(self.settings.path.of(source), envelopes)

    def _append(self, path: Path, envelopes: Sequence[Envelope]) -> Outcome:
        lines = b"\n".join([envelope.body for envelope in envelopes]) + b"\n"
        try:
            append_lines(path, lines, fsync=self.settings.fsync)
            self._settle(path)
        except OSError as error:
            return Deferred(f"{path}: {error.strerror or type(error).__name__}", scope="destination")
        return Delivered()

    def _settle(self, path: Path) -> None:
        """The file may be as new as this process: its name must outlive a power cut too."""
        if self.settings.fsync and path not in self._settled:
            fsync_directory(path.parent)
            self._settled.add(path)


def append_lines(path: Path, lines: bytes, *, fsync: bool) -> None:
    """All of `lines` or none of them, even when the disk is full; never in the middle of another's."""
    make_directories(path.parent)
    with locked(path) as fd:
        end = whole_lines(fd)
        try:
            write_all(fd, lines, end)
            if fsync:
                os.fsync(fd)
        except OSError:
            os.ftruncate(fd, end)
            raise
    if fsync and end == 0:
        fsync_directory(path.parent)


def whole_lines(fd: int) -> int:
    """Repair what a crash in the middle of writing left at the end of the file; gives where to write on."""
    size = os.fstat(fd).st_size
    start = _last_line(fd, size)
    tail = os.pread(fd, size - start, start)
    if not tail or tail.endswith(b"\n"):
        return size
    if _is_json(tail):
        write_all(fd, b"\n", size)
        return size + 1
    os.ftruncate(fd, start)
    return start


def _last_line(fd: int, size: int) -> int:
    """Where the last line begins; the end of the file when that line is complete."""
    end = size
    while end > 0:
        begin = max(0, end - _TAIL_BYTES)
        newline = os.pread(fd, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
