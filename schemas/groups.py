"""Bring `context.groups`, the several groups of one event, into its one form."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from schemas.identifiers import id_text
from schemas.notes import Note, note, record

MOST = 100
"""Groups of one event; the rest is noted and dropped."""
MOST_ATTACHED_CHARS = 4_096
"""Of the ids that a server adds to a message, which may have been as large as messages get."""


def settle_groups(context: dict[str, Any], notes: list[Note]) -> None:
    """Leave a list of different ids, the first of them in `groupId` too; no member at all where there is none."""
    said = context.pop("groups")
    if not isinstance(said, list):
        if said is not None:
            notes.append(note("context.groups", "not_a_list", said))
        return
    found = [(index, value, id_text(value)) for index, value in enumerate(said)]
    groups = list(dict.fromkeys(group for _, _, group in found if group))
    if groups:
        context["groups"] = groups[:MOST]
        if not context.get("groupId"):
            context["groupId"] = groups[0]
    notes += [note(f"context.groups.{index}", "dropped", value) for index, value, group in found if not group]
    if len(groups) > MOST:
        notes.append(note("context.groups", "dropped", groups[MOST:]))


def attach_groups(message: dict[str, Any], groups: Sequence[str]) -> None:
    """Let a normalised message that names no group be of these, the likeliest first, and note that they were added."""
    lengths = accumulate(len(group) for group in groups)
    attached = [group for group, length in zip(groups[:MOST], lengths, strict=False) if length <= MOST_ATTACHED_CHARS]
    if attached:
        message["context"] |= {"groups": attached, "groupId": attached[0]}
        record(message, [note("context.groups", "attached")])
