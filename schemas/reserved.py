"""Give reserved traits their one spelling, however a client spelled them.

Two spellings are the same when nothing but case and separators tells them apart: `createdAt`, `created_at`,
`CREATED-AT`, `created at`. A dot is never ignored, a key with a character outside ASCII matches nothing, and
neither does a key that starts with `$`, because those belong to one vendor. Custom traits keep their spelling.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.dates import moment, stamped_ms
from schemas.notes import Note, note
from schemas.remembered import Remembered

_SEPARATORS = re.compile(r"[^A-Za-z0-9.]")


class Spellings(Remembered[str | None]):
    """From a key to the reserved name it should be written as; None when it is to stay as it is."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._reserved = {normal(name): name for name in names}

    def _of(self, text: str) -> str | None:
        name = self._reserved.get(normal(text)) if is_ours(text) else None
        return None if name == text else name


def is_ours(key: str) -> bool:
    """Whether the key can be a spelling of a reserved name at all."""
    return key.isascii() and not key.startswith("$")


def normal(key: str) -> str:
    """What is left of a key without separators and case."""
    return _SEPARATORS.sub("", key).lower()


class Shape(msgspec.Struct, frozen=True):
    """Which traits are reserved, which of them are dates, and which have reserved members of their own."""

    spellings: Spellings
    dates: tuple[str, ...]
    objects: tuple[tuple[str, Spellings], ...]


ADDRESS_MEMBERS = ("street", "city", "state", "postalCode", "country")
COMPANY_MEMBERS = ("name", "id", "industry", "employee_count", "plan")
USER_TRAITS = (
    "address", "age", "avatar", "birthday", "company", "createdAt", "description", "email", "firstName",
    "gender", "id", "lastName", "name", "phone", "title", "username", "website",
)  # fmt: skip
GROUP_TRAITS = (
    "address", "avatar", "createdAt", "description", "email", "employees", "id", "industry", "name", "phone",
    "website", "plan",
)  # fmt: skip

_ADDRESS = Spellings(ADDRESS_MEMBERS)
_COMPANY = Spellings(COMPANY_MEMBERS)

USER = Shape(Spellings(USER_TRAITS), ("createdAt", "birthday"), (("address", _ADDRESS), ("company", _COMPANY)))
GROUP = Shape(Spellings(GROUP_TRAITS), ("createdAt",), (("address", _ADDRESS),))


def settled(traits: dict[str, Any], shape: Shape, path: str, notes: list[Note]) -> dict[str, Any]:
    """The traits with reserved names in their one spelling and reserved dates in their one form.

    Nothing else is touched. The top level may be changed in place, nested objects never are.
    """
    traits = respelled(traits, shape.spellings, path, notes)
    for name, spellings in shape.objects:
        if name in traits:
            inner = traits[name]
            if inner.__class__ is dict:
                traits[name] = respelled(inner, spellings, f"{path}.{name}", notes)
            elif inner == []:
                traits[name] = {}
    for name in shape.dates:
        if name in traits:
            traits[name] = _dated(traits[name], path, name, notes)
    return traits


def respelled(members: dict[str, Any], spellings: Spellings, path: str, notes: list[Note]) -> dict[str, Any]:
    """The members with reserved names in their one spelling.

    Of two spellings of one name the exact one wins if it is not null, then the first that is not null, and
    null (which clears the trait) only if there is nothing else. A loser stays under its own spelling.
    """
    if not any(map(spellings.__getitem__, members)):
        return members
    kept: dict[str, Any] = {}
    for key, value in members.items():
        name = spellings[key]
        if name is None:
            kept[key] = value
        elif name in members or name in kept:
            return _chosen(members, spellings, path, notes)
        else:
            kept[name] = value
    return kept


def _chosen(members: dict[str, Any], spellings: Spellings, path: str, notes: list[Note]) -> dict[str, Any]:
    """The members when at least one reserved name is there in two spellings."""
    winners = _winners(members, spellings)
    kept = {}
    for key, value in members.items():
        name = spellings[key]
        if name is None:
            if key not in winners:
                kept[key] = value
        elif winners.get(name) == key:
            kept[name] = value
        else:
            kept[key] = value
            notes.append(note(f"{path}.{key}", "other_spelling"))
    return kept


def _winners(members: dict[str, Any], spellings: Spellings) -> dict[str, str]:
    """For each reserved name that the exact spelling does not hold, the key that is to be written as it."""
    winners: dict[str, str] = {}
    for key, value in members.items():
        name = spellings[key]
        if name is None or members.get(name) is not None:
            continue
        leader = winners.get(name, name)
        if leader not in members or (members[leader] is None and value is not None):
            winners[name] = key
    return winners


def _dated(value: object, path: str, name: str, notes: list[Note]) -> object:
    if value is None or (isinstance(value, str) and stamped_ms(value) is not None):
        return value
    date = moment(value)
    if date is None:
        notes.append(note(f"{path}.{name}", "not_a_date"))
        return value
    if not date.zoned and not date.whole_day:
        notes.append(note(f"{path}.{name}", "no_zone", value))
    return date.text()
