"""Find a value in JSON by a path that is spelled loosely, exactly as the libraries that vendors' mappings grew up with.

A key is the same as another when nothing but case and characters other than `a-z`, `0-9` and the dot tell them apart.
The dot parts a path; a key may hold dots as well. The first key in the object that fits is taken, even if it is null,
and nothing leads back from it. What reserved names mean is for the readers.
"""

from typing import Any

from msgspec import UNSET

from schemas.remembered import Remembered
from schemas.reserved import normal


class _Forms(Remembered[str]):
    """From a key or a path to its normal form."""

    def _of(self, text: str) -> str:
        return normal(text)


FORMS = _Forms()
_INDEX_DIGITS = 9


def find(value: object, path: str) -> Any:
    """The value at the path: None where it is null or a value on the way is, UNSET where there is none."""
    inside: Any = value
    rest = FORMS[path]
    while (step := _step(inside, rest)) is not None:
        key, rest = step
        inside = inside[key]
        if inside is None or not rest:
            # An empty key is matched, but never answers.
            return UNSET if key == "" else inside
    return UNSET


def _step(inside: object, path: str) -> tuple[Any, str] | None:
    """The first key that the path begins with, and the rest of the path."""
    head, _, rest = path.partition(".")
    index = int(head) if head.isdigit() and len(head) <= _INDEX_DIGITS and str(int(head)) == head else None
    match inside:
        case dict():
            # JavaScript puts keys that are integers before all others.
            return (head, rest) if index is not None and head in inside else _key(inside, path)
        case list() | str():
            return (index, rest) if index is not None and index < len(inside) else None
        case _:
            return None


def _key(inside: dict[str, Any], path: str) -> tuple[str, str] | None:
    for key in inside:
        form = FORMS[key]
        if path.startswith(form) and path[len(form) : len(form) + 1] in ("", "."):
            return key, path[len(form) + 1 :]
    return None
