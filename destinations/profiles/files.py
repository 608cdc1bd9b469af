"""Read rows about users or groups from JSON lines or from a table, one at a time, each with its line."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from itertools import chain
from typing import IO, Any, Literal, NamedTuple

import msgspec

from destinations.profiles import cells
from destinations.profiles.cells import EXACT, IDS, LISTS, Path
from destinations.profiles.rows import BadRow, GroupRow, UserRow

Format = Literal["jsonl", "csv"]
Row = UserRow | GroupRow

MOST_BYTES = 16 << 20
"""Of one row."""
_QUOTED = re.compile(r'"[^"]*"')
_BOM = b"\xef\xbb\xbf"
_PLACE = re.compile(r"(?P<what>.*) - at `(?P<place>[^`]*)`", re.DOTALL)


class BadFile(Exception):
    """Nothing in it can be taken in."""


class Line(NamedTuple):
    """A row, or what is wrong with it."""

    number: int
    row: Row | None
    wrong: str = ""


def rows(file: IO[bytes], form: Format, shape: type[Row]) -> Iterator[Line]:
    """Raises BadFile."""
    return _lines(file, shape) if form == "jsonl" else _table(file, shape)


def _lines(file: IO[bytes], shape: type[Row]) -> Iterator[Line]:
    decode = msgspec.json.Decoder(shape).decode
    number = 0
    while line := file.readline(MOST_BYTES):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) == MOST_BYTES and not line.endswith(b"\n"):
            while not (file.readline(MOST_BYTES) or b"\n").endswith(b"\n"):
                pass
            yield Line(number, None, f"expected at most {MOST_BYTES} bytes")
        elif line.strip():
            yield _decoded(line, number, decode)


def _decoded(line: bytes, number: int, decode: Callable[[bytes], Row]) -> Line:
    try:
        return Line(number, decode(line))
    except msgspec.ValidationError as error:
        return Line(number, None, _placed(str(error)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Line(number, None, f"expected one JSON object on a line: {error}")


def _placed(text: str) -> str:
    """With the place first, and without the punctuation of a library."""
    found = _PLACE.fullmatch(text)
    what, place = (found["what"], found["place"].removeprefix("$").lstrip(".")) if found else (text, "")
    what = what.replace("`", "'").replace("Expected", "expected").replace(", got", ", found")
    what = what.replace("Object contains unknown field", "no such member:")
    return f"{place}: {what}" if place else what


def _table(file: IO[bytes], shape: type[Row]) -> Iterator[Line]:
    csv.field_size_limit(MOST_BYTES)
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        first = text.readline(MOST_BYTES)
        reader = csv.reader(chain([first], text), delimiter=_separator(first))
        columns = _columns(next(reader, []), shape)
        while True:
            try:
                found = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(reader.line_num, None, str(error))
                continue
            if found:
                yield _from_cells(found, columns, reader.line_num, shape)
    finally:
        text.detach()


def _separator(first: str) -> str:
    """Spreadsheets of some countries write semicolons."""
    outside = _QUOTED.sub("", first)
    return next((one for one in ",;\t" if one in outside), ",")


class _Columns(NamedTuple):
    heads: Sequence[str]
    paths: Sequence[Path | None]
    """Where in the traits; None for what is no trait."""


def _columns(head: Sequence[str], shape: type[Row]) -> _Columns:
    """Raises BadFile."""
    heads = [name if name.startswith(EXACT) else name.strip() for name in head]
    ids = [name for name in IDS if name in shape.__struct_fields__]
    if not set(ids) & set(heads):
        raise BadFile(f"line 1: expected the names of the columns, {' or '.join(ids)} among them")
    twice = sorted({name for name in heads if heads.count(name) > 1})
    if twice:
        raise BadFile(f"line 1: there are two columns called {twice[0]!r}")
    own = set(shape.__struct_fields__) - {"traits", "history"}
    foreign = [name for name in heads if name in cells.RESERVED and name not in own]
    if foreign:
        raise BadFile(f"line 1: {foreign[0]!r} is no column of this kind of row; a trait is 'traits.{foreign[0]}'")
    return _Columns(heads, [None if name in own else cells.path_of(name) for name in heads])


def _from_cells(found: Sequence[str], columns: _Columns, number: int, shape: type[Row]) -> Line:
    if len(found) > len(columns.heads):
        return Line(number, None, f"expected {len(columns.heads)} cells, found {len(found)}")
    row: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    try:
        for name, path, cell in zip(columns.heads, columns.paths, found, strict=False):
            if cell:
                _put(name, path, cell, row, traits)
    except BadRow as error:
        return Line(number, None, str(error))
    return Line(number, shape(traits=traits, **row))


def _put(name: str, path: Path | None, cell: str, row: dict[str, Any], traits: dict[str, Any]) -> None:
    if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
        raise BadRow(f"{name}: expected UTF-8: save the file as such")
    if path is None:
        row[name] = cells.ids_of(cell) if name in LISTS else cells.id_of(cell) if name in IDS else cell
    elif len(path) == 1:
        traits[path[0]] = cells.value_of(cell)
    elif not cells.put(traits, path, cells.value_of(cell)):
        raise BadRow(f"{name}: expected to be empty, for a value stands in the column above it")
