"""Record, with the message, what its normalisation had to decide for the client.

Notes are stored under `_turnout`, and only when there is something to say. The value that was replaced is
kept in the note, so nothing that a client sent is lost.
"""

from collections.abc import Iterable
from typing import Any

Note = dict[str, Any]

_UNSAID = object()


def note(path: str, rule: str, was: object = _UNSAID) -> Note:
    if was is _UNSAID:
        return {"path": path, "rule": rule}
    return {"path": path, "rule": rule, "was": was}


def record(message: dict[str, Any], notes: Iterable[Note]) -> None:
    """Add the notes to the message, each once."""
    kept = message.get("_turnout")
    if kept is None:
        kept = {}
    elif not isinstance(kept, dict) or not isinstance(kept.get("notes", []), list):
        notes = [note("_turnout", "replaced", kept), *notes]
        kept = {}
    said: list[Any] = list(kept.get("notes", ()))
    for new in notes:
        if new not in said:
            said.append(new)
    message["_turnout"] = {**kept, "notes": said}
