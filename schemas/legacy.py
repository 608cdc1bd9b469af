"""Rewrite the member names of version 1 of the spec, which old clients and examples still use.

A new name that is present wins; then the old one stays where it was, as any unknown member does.
"""

from typing import Any

from schemas.catalog import KINDS
from schemas.notes import Note
from schemas.objects import as_object

OLD_MEMBERS = frozenset({"action", "sessionId", "user_id", "options", "from", "to"})
_CONTEXT = {
    "user_agent": ("", "userAgent"),
    "screenWidth": ("screen", "width"),
    "screenHeight": ("screen", "height"),
    "appReleaseVersion": ("app", "version"),
    "appVersion": ("app", "build"),
    "library-version": ("library", "version"),
    "deviceModel": ("device", "model"),
    "deviceManufacturer": ("device", "manufacturer"),
    "idForAdvertiser": ("device", "idfa"),
    "osVersion": ("os", "version"),
}
OLD_IN_CONTEXT = frozenset(_CONTEXT)


def rename_members(message: dict[str, Any], notes: list[Note]) -> None:
    """Give the message's own members their present names, except those that only an alias has.

    There is nothing to do for a message without OLD_MEMBERS.
    """
    action = message.get("action")
    if "type" not in message and isinstance(action, str) and action.lower() in KINDS:
        message["type"] = action.lower()
        del message["action"]
    _move_id(message, "sessionId", "anonymousId")
    _move_id(message, "user_id", "userId")
    if isinstance(message.get("options"), dict) and not as_object(message.get("context"), "context", notes):
        message["context"] = message.pop("options")
        _move_providers(message, notes)


def rename_alias_members(message: dict[str, Any]) -> None:
    _move_id(message, "from", "previousId")
    _move_id(message, "to", "userId")


def rename_context_members(context: dict[str, Any]) -> None:
    """Give the members of a context their present names and places, and a library without a version its object."""
    library = context.get("library")
    if library.__class__ is str:
        context["library"] = {"name": library}
    for old, (parent, new) in _CONTEXT.items():
        if old in context:
            _move_in_context(context, old, parent, new)


def _move_id(message: dict[str, Any], old: str, new: str) -> None:
    value = message.get(old)
    if message.get(new) in (None, "") and _is_id(value):
        del message[old]
        message[new] = value


def _is_id(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _move_providers(message: dict[str, Any], notes: list[Note]) -> None:
    context = message["context"]
    if not isinstance(context.get("providers"), dict):
        return
    if not as_object(message.get("integrations"), "integrations", notes):
        message["integrations"] = context.pop("providers")


def _move_in_context(context: dict[str, Any], old: str, parent: str, new: str) -> None:
    if not parent:
        if context.get(new) is None:
            context[new] = context.pop(old)
        return
    place = context.get(parent)
    if place is None or (isinstance(place, dict) and place.get(new) is None):
        context[parent] = {**(place or {}), new: context.pop(old)}
