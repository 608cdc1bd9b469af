"""Show traits in the types that their names promise, and those that follow from others. Pure.

What was sent stays as it is beside that. Nothing is guessed: what is not surely of the promised type is shown as sent.
"""

from collections.abc import Callable
from typing import Any

from destinations.profiles.document import Document, Trait
from schemas.readers.values import count_of, date_of, label_of, number_of, text_of

ADDRESS = {
    "street": ("street",),
    "city": ("city",),
    "state": ("state", "region"),
    "postalCode": ("postalCode", "zip"),
    "country": ("country",),
}
"""The parts of an address, and under which names they are found where it is not one object."""

NAME = ("firstName", "lastName")


def viewed(traits: Document) -> Document:
    """Of a user, or a group."""
    found = {name: _typed(name, trait) for name, trait in traits.items()}
    if (name := _name(traits)) and not _there(traits, "name"):
        found["name"] = name
    if (address := _address(traits)) and not _there(traits, "address"):
        found["address"] = address
    return found


def _typed(name: str, trait: Trait) -> Trait:
    value = _TYPES[name](trait.value) if name in _TYPES else trait.value
    return trait if value is None or value is trait.value else Trait(value, trait.stamp, trait.source)


def _number(value: Any) -> Any:
    return value if isinstance(value, bool) else number_of(value)


def _label(value: Any) -> Any:
    return value if isinstance(value, bool) else label_of(value)


def _date(value: Any) -> Any:
    """Numbers too were understood as times when the message came; what is still none is told as it is."""
    found = date_of(value) if isinstance(value, str) else None
    return found.text() if found else None


def _company(value: Any) -> Any:
    """A name alone is a company too."""
    if isinstance(value, str):
        return {"name": value} if value.strip() else None
    if not isinstance(value, dict) or "employee_count" not in value:
        return None
    return {**value, "employee_count": _or(count_of, value["employee_count"])}


def _parts(value: Any) -> Any:
    """An address: a postal code is text, whatever it looks like."""
    if not isinstance(value, dict) or "postalCode" not in value:
        return None
    return {**value, "postalCode": _or(_label, value["postalCode"])}


def _or(read: Callable[[Any], Any], value: Any) -> Any:
    found = read(value)
    return value if found is None else found


_TYPES: dict[str, Callable[[Any], Any]] = {
    "address": _parts,
    "age": _number,
    "birthday": _date,
    "company": _company,
    "createdAt": _date,
    "employees": count_of,
    "id": _label,
    "phone": _label,
    "username": _label,
}


def _name(traits: Document) -> Trait | None:
    """First and last name, as the readers of messages put them together: when both are known."""
    parts = [traits[part] for part in NAME if part in traits and text_of(traits[part].value)]
    return _of(parts, " ".join(str(text_of(part.value)) for part in parts)) if len(parts) == len(NAME) else None


def _address(traits: Document) -> Trait | None:
    """What stands among the traits instead."""
    found: dict[str, Trait] = {}
    for part, names in ADDRESS.items():
        there = (traits[name] for name in names if name in traits and _label(traits[name].value) is not None)
        found.update((part, trait) for trait in list(there)[:1])
    return _of(list(found.values()), {part: _label(trait.value) for part, trait in found.items()}) if found else None


def _there(traits: Document, name: str) -> bool:
    return name in traits and traits[name].value not in (None, "")


def _of(parts: list[Trait], value: Any) -> Trait:
    """Made of these, and so as new as the last of them."""
    last = max(parts, key=lambda part: part.stamp)
    return Trait(value, last.stamp, last.source)
