"""A dead letter's message as somebody wants it: from single values, a file or an editor, and still valid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from collector.cli import amending
from collector.cli.trouble import WRONG, Trouble
from schemas.catalog import KINDS
from schemas.message import decode_head
from schemas.validate import violations

TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
"""What a message that comes from a file may leave out."""

if TYPE_CHECKING:
    from worker.letters.desk import Letter


def rewritten(letter: "Letter", changes: Sequence[str], file: str | None) -> bytes | None:
    """The new message; None when it is the old one. Raises Trouble when it breaks the spec."""
    before = msgspec.json.decode(letter.message)
    if not isinstance(before, dict):
        raise Trouble(f"dead letter {letter.id} holds no message: it cannot be edited")
    if changes:
        after = valid(amending.amended(msgspec.json.decode(letter.message), changes), before)
    elif file is not None:
        after = valid(amending.from_file(file), before)
    else:
        after = from_editor(letter, before)
    return None if after == before else msgspec.json.encode(after)


def from_editor(letter: "Letter", before: dict[str, Any]) -> dict[str, Any]:
    text = msgspec.json.format(bytes(letter.message)).decode() + "\n"
    while True:
        edited = amending.from_editor(text)
        if edited is None:
            return before
        try:
            return valid(amending.parsed(edited, "what you wrote"), before)
        except Trouble as trouble:
            if not amending.again("; ".join(trouble.lines)):
                raise
            text = edited


def valid(message: Any, before: dict[str, Any]) -> dict[str, Any]:
    """The message with the id that it had, and with its times. Raises Trouble with every rule that it breaks."""
    kind = message.get("type") if isinstance(message, dict) else None
    if kind not in KINDS:
        raise Trouble(f"a message is an object whose type is one of {', '.join(KINDS)}", code=WRONG)
    found = violations(message, kind)
    if found:
        raise Trouble(*(each.sentence() for each in found), code=WRONG)
    times = {name: before[name] for name in TIMES if name in before}
    whole = {**times, **message, "messageId": before["messageId"]}
    try:
        decode_head(msgspec.json.encode(whole))
    except msgspec.ValidationError as error:
        raise Trouble(f"this is no message as it is stored: {error}", code=WRONG) from error
    return whole
