"""Write rows as cells of a table, and read them back. Pure.

A cell that is JSON means what it says: a number, true, null, a list. Any other text is text; an empty cell is absent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins like this is run by spreadsheets, and what is in it came from strangers: it is written in quotes."""

IDS = ("id", "anonymous_id")
LISTS = ("anonymous_ids", "user_ids", "groups", "members")
RESERVED = (*IDS, *LISTS, "timestamp")
TRAITS = "traits"
EXACT = f"{TRAITS}."
"""Before the name of a trait that would mean something else by itself, or begins with a blank."""
SEPARATOR = ";"
_JSON = frozenset('"[{-0123456789tfn')
_DOT = re.compile(r"(?:\\.|[^.\\])*", re.DOTALL)

Path = tuple[str, ...]


def value_of(cell: str) -> Any:
    if cell[0] not in _JSON:
        return cell
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError):
        return cell


def cell_of(value: Any) -> str:
    if isinstance(value, str) and _plain(value):
        return value
    return msgspec.json.encode(value).decode()


def _plain(text: str) -> bool:
    return bool(text) and not text.startswith(FORMULAS) and value_of(text) is text


def id_of(cell: str) -> str:
    """As it stands, `007` too; in quotes only if it would be run by a spreadsheet."""
    found = value_of(cell) if cell.startswith('"') else cell
    return found if isinstance(found, str) else cell


def id_cell(value: str) -> str:
    quoted = value.startswith((*FORMULAS, '"'))
    return msgspec.json.encode(value).decode() if quoted else value


def ids_of(cell: str) -> list[str]:
    """Those between the semicolons, or those of a list in JSON."""
    found = value_of(cell) if cell.startswith("[") else None
    if isinstance(found, list):
        return [one if isinstance(one, str) else cell_of(one) for one in found]
    return [one for part in cell.split(SEPARATOR) if (one := part.strip())]


def ids_cell(ids: Sequence[str]) -> str:
    simple = all(SEPARATOR not in one and one == one.strip() for one in ids)
    whole = SEPARATOR.join(ids)
    simple = simple and not whole.startswith((*FORMULAS, "["))
    return whole if simple else msgspec.json.encode(ids).decode()


def column_of(path: Path) -> str:
    """Names joined by dots; `traits.` before those that mean something else."""
    name = ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in path)
    return EXACT + name if path[0] in (*RESERVED, TRAITS, "") or name != name.strip() else name


def path_of(column: str) -> Path:
    parts = tuple(re.sub(r"\\(.)", r"\1", part) for part in _split(column))
    return parts[1:] if parts[0] == TRAITS and len(parts) > 1 else parts


def _split(column: str) -> Iterator[str]:
    start = 0
    while True:
        found = _DOT.match(column, start)
        assert found is not None
        yield found[0]
        if found.end() >= len(column):
            return
        start = found.end() + 1


def lay_out(traits: Mapping[str, Any], found: dict[Path, Any], above: Path = ()) -> None:
    """Put the values in the objects, each with the way to it; objects without members are values."""
    for name, value in traits.items():
        if value.__class__ is dict and value:
            lay_out(value, found, (*above, name))
        else:
            found[(*above, name)] = value


def put(traits: dict[str, Any], path: Path, value: Any) -> bool:
    """False where something other than an object is in the way."""
    place = traits
    for name in path[:-1]:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
        place = inner
    if path[-1] in place:
        return False
    place[path[-1]] = value
    return True
