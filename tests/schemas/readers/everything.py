"""Ask every reader, for tests that hold for all of them."""

from typing import Any

import msgspec

from schemas.dates import Moment
from schemas.readers.group import Group
from schemas.readers.members import Members
from schemas.readers.once import once
from schemas.readers.order import Order, Product
from schemas.readers.page import Page
from schemas.readers.reader import Reader, of
from schemas.readers.user import User

VIEWS: dict[str, type] = {"": Reader, "user": User, "group": Group, "order": Order, "page": Page}
_PARTS = {*VIEWS, "context", "members", "beside", "around", "message", "raw", "company", "address"}


def readers_of(view: type) -> list[str]:
    """Those that the view adds to what it is made of, without the views that it leads to."""
    members = {name: member for one in reversed(view.__mro__) for name, member in vars(one).items()}
    found = {"id"} & set(getattr(view, "__struct_fields__", ())) | {
        name for name, member in members.items() if isinstance(member, property | once)
    }
    return sorted(name for name in found if not name.startswith("_") and name not in _PARTS)


def answers(message: dict[str, Any]) -> dict[str, Any]:
    """What every reader says of the message, as JSON has it."""
    reader = of(message)
    said = {}
    for place, view in VIEWS.items():
        subject = getattr(reader, place) if place else reader
        for name in readers_of(view):
            said[f"{place}.{name}".strip(".")] = _json(getattr(subject, name))
    return said


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if isinstance(value, Product):
        return {name: getattr(value, name) for name in readers_of(Product)}
    if isinstance(value, Moment):
        return value.text()  # the moment, not whether its writer named a zone: once stored, all have one
    assert not isinstance(value, Members)
    return msgspec.to_builtins(value)
