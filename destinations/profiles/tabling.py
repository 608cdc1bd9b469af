"""Write rows about users or groups to a file: as JSON lines, or as a table of the columns that there are."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import msgspec

from destinations.profiles import cells
from destinations.profiles.cells import IDS, LISTS, Path
from destinations.profiles.files import Row

MOST_COLUMNS = 1_000


class TooWide(Exception):
    """A table of so many columns helps nobody."""

    def __init__(self) -> None:
        super().__init__(f"there are more than {MOST_COLUMNS} different traits: name those that you want, or take JSON")


def as_lines(rows: Iterable[Row]) -> Iterator[str]:
    encode = msgspec.json.Encoder().encode
    for row in rows:
        yield encode(row).decode() + "\n"


def columns_of(traits: Iterable[dict[str, Any]]) -> list[Path]:
    """The ways to all of them, as they first come. Raises TooWide."""
    found: dict[Path, Any] = {}
    for each in traits:
        cells.lay_out(each, found)
        if len(found) > MOST_COLUMNS:
            raise TooWide
    return list(found)


def as_table(rows: Iterable[Row], own: Sequence[str], paths: Sequence[Path], file: IO[str]) -> Iterator[None]:
    """`own`: the columns beside the traits. Goes on to the next row when it is asked to."""
    writer = csv.writer(file)
    writer.writerow([*own, *map(cells.column_of, paths)])
    for row in rows:
        values: dict[Path, Any] = {}
        cells.lay_out(row.traits, values)
        told = [_own_cell(name, getattr(row, name)) for name in own]
        writer.writerow([*told, *(cells.cell_of(values[path]) if path in values else "" for path in paths)])
        yield


def _own_cell(name: str, value: Any) -> str:
    if name in IDS:
        return cells.id_cell(value)
    return (cells.ids_cell(value) if value else "") if name in LISTS else str(value or "")
