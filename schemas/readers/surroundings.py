"""Read from a message's context which library and device it came from, and where the user was."""

import re
from typing import Any

import msgspec

from schemas.identifiers import id_text
from schemas.readers.members import Members
from schemas.readers.values import label_of

_WORDS = re.compile(r"[^a-z]+")
_SYSTEMS = ("ios", "android")


class Library(msgspec.Struct, frozen=True):
    name: str = "unknown"
    version: str | None = None


def library(context: Members) -> Library:
    said = context.get("library")
    if not isinstance(said, dict):
        return Library(label_of(said) or "unknown")
    members = Members(said)
    return Library(members.text("name") or "unknown", members.label("version"))


def device(context: Members) -> dict[str, Any]:
    """The device as it was sent; its type, if that is not said, from the name of the library."""
    said = context.get("device")
    known: dict[str, Any] = said if isinstance(said, dict) else {}
    if Members(known).get("type"):
        return known
    words = _WORDS.split(library(context).name.lower())
    system = next((system for system in _SYSTEMS if system in words), None)
    return known if system is None else {**known, "type": system}


def group_ids(context: Members) -> tuple[str, ...]:
    """The groups of an event: `groups`, else the one `groupId`."""
    said = context.get("groups")
    several = list(filter(None, map(id_text, said))) if isinstance(said, list) else []
    one = id_text(context.get("groupId"))
    return tuple(dict.fromkeys([*several, one] if one else several))
