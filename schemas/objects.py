"""Read a member that is meant to be an object, whatever was sent."""

from typing import Any

from schemas.notes import Note, note


def as_object(value: object, path: str, notes: list[Note]) -> dict[str, Any]:
    """The value if it is an object, else an empty one. PHP writes an empty object as an empty array."""
    if isinstance(value, dict):
        return value
    if value is not None and value != []:
        notes.append(note(path, "not_an_object", value))
    return {}
