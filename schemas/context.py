"""Bring a context into its one form: an object, with present names and reserved traits spelled one way."""

from typing import Any

from schemas.groups import settle_groups
from schemas.legacy import OLD_IN_CONTEXT, rename_context_members
from schemas.notes import Note
from schemas.objects import as_object
from schemas.reserved import USER, settled

_OBJECTS = frozenset({
    "amp", "app", "campaign", "consent", "device", "library", "location", "network", "os", "page", "protocols",
    "referrer", "screen", "traits", "userAgentData",
})  # fmt: skip


def settled_context(value: object, notes: list[Note]) -> dict[str, Any]:
    """The context in its one form; the same object, changed, if it is one at all."""
    context: dict[str, Any] = value if value.__class__ is dict else as_object(value, "context", notes)
    if [] in context.values():
        for name in _OBJECTS & context.keys():
            if context[name] == []:
                context[name] = {}
    if context.get("library").__class__ is str or not OLD_IN_CONTEXT.isdisjoint(context):
        rename_context_members(context)
    if "traits" in context and context["traits"].__class__ is dict:
        context["traits"] = settled(context["traits"], USER, "context.traits", notes)
    if "groups" in context:
        settle_groups(context, notes)
    return context
