"""Say in plain words what a setting's type asks for."""

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from destinations.values import Readable

_PLAIN: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "nothing",
    list: "a list",
    dict: "a table",
}
_TICKED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "array": "a list",
    "object": "a table",
}
_NOT_EMPTY = {"array": " with at least one item", "str": " of at least one character"}
_EXPECTED = re.compile(r"Expected `(\w+)(?: \| null)?`(?P<bound>.*)", re.DOTALL)
_GOT = re.compile(r", got `\w+`.*|\s+- at `.*", re.DOTALL)


def expected(kind: Any) -> str:
    """What to write there: `a whole number`, `one of "a", "b"`, `a list of text`."""
    origin, arms = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return expected(arms[0])
    if origin is Literal:
        return "one of " + ", ".join(msgspec.json.encode(arm).decode() for arm in arms)
    if origin is Union or origin is types.UnionType:
        return " or ".join(expected(arm) for arm in arms if arm is not type(None))
    if origin in (list, tuple, set, frozenset, Sequence):
        return f"a list of {expected(arms[0])}"
    if origin in (dict, Mapping):
        return "a table"
    if isinstance(kind, type) and isinstance(kind, Readable):
        return kind.expected
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "a table"
    return _PLAIN.get(kind, getattr(kind, "__name__", "another value"))


def reworded(error: str, kind: Any) -> str:
    """msgspec's text for a value of the wrong type or out of bounds; it never carries the value itself."""
    match = _EXPECTED.match(_GOT.sub("", error))
    if match is None:
        return f"must be {expected(kind)}"
    bound = match["bound"].replace(" of length >= 1", _NOT_EMPTY.get(match[1], " of length >= 1"))
    return f"must be {_TICKED.get(match[1], expected(kind))}{bound}"
