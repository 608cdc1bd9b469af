"""Keeps the files of the browser's library ready to be sent."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from collector.browser.published import CHUNK, PACKED, PINS, SCRIPT, Pin, present


class Book(msgspec.Struct, frozen=True):
    """A file, plain and packed, each with a strong ETag of its own."""

    plain: bytes
    packed: bytes | None
    tag: str
    packed_tag: str


class Library(msgspec.Struct, frozen=True):
    version: str
    """That of the script."""
    script: Book
    chunks: Mapping[str, Book]
    """Of all versions that are there: their names tell them apart."""


class Shelf:
    """Looks for the library until it is there: it may be fetched while the collector runs."""

    def __init__(self, places: Sequence[Path], pins: Sequence[Pin] = PINS) -> None:
        self._places = places
        self._pins = pins
        self._library: Library | None = None

    def library(self) -> Library | None:
        if self._library is None:
            self._library = library_in(self._places, self._pins)
        return self._library


def library_in(places: Sequence[Path], pins: Sequence[Pin]) -> Library | None:
    found = list(present(places, pins))
    if not found:
        return None
    newest, directory = found[0]
    chunks = {name: book for _, each in reversed(found) for name, book in _chunks(each)}
    return Library(newest.version, _book(directory / SCRIPT), chunks)


def _chunks(directory: Path) -> Iterator[tuple[str, Book]]:
    for path in directory.iterdir():
        if CHUNK.fullmatch(path.name):
            yield path.name, _book(path)


def _book(path: Path) -> Book:
    plain = path.read_bytes()
    twin = path.with_name(path.name + PACKED)
    digest = hashlib.sha256(plain).hexdigest()[:32]
    return Book(plain, twin.read_bytes() if twin.is_file() else None, f'"{digest}"', f'"{digest}-gzip"')
