"""Bring a context into its one form: an object, with present names and reserved traits spelled one way."""

from typing import Any

from schemas.legacy import rename_context_members
from schemas.notes import Note, note
from schemas.reserved import USER, settled

_OBJECTS = frozenset({
    "amp", "app", "campaign", "consent", "device", "library", "location", "network", "os", "page", "protocols",
    "referrer", "screen", "traits", "userAgentData",
})  # fmt: skip


def settled_context(value: object, path: str, notes: list[Note]) -> dict[str, Any]:
    """The context in its one form; a changed one, not another, if it is an object at all."""
    context = as_object(value, path, notes)
    rename_context_members(context)
    if [] in context.values():
        for name in _OBJECTS & context.keys():
            if context[name] == []:
                context[name] = {}
    traits = context.get("traits")
    if isinstance(traits, dict):
        context["traits"] = settled(traits, USER, f"{path}.traits", notes)
    return context


def as_object(value: object, path: str, notes: list[Note]) -> dict[str, Any]:
    """The value if it is an object, else an empty one. PHP writes an empty object as an empty array."""
    if isinstance(value, dict):
        return value
    if value is not None and value != []:
        notes.append(note(path, "not_an_object", value))
    return {}
