"""Say of a stored message whether a selection wants it. Pure, and quick with those that it does not want."""

from collections.abc import Sequence
from typing import Any

import msgspec

from worker.replay.expression import Expression
from worker.replay.selection import Selection


class _Facts(msgspec.Struct, rename="camel"):
    received_at: Any = None
    type: Any = None
    event: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    message_id: Any = None


_facts = msgspec.json.Decoder(_Facts).decode
_members = msgspec.json.Decoder(dict[str, Any]).decode


class Matcher:
    def __init__(self, selection: Selection) -> None:
        """Raises BadExpression."""
        self._wanted = selection
        self._expression = Expression(selection.where) if selection.where else None
        given = (selection.message_ids, selection.users, selection.events, selection.types)
        self._needles = [_needles(values) for values in given if values]
        self._looks_inside = bool(self._needles or selection.since or selection.until)

    def wants(self, body: bytes) -> bool:
        # To look for bytes is a tenth of the work of reading JSON.
        for needles in self._needles:
            if not any(needle in body for needle in needles):
                return False
        if self._looks_inside and not _agree(self._wanted, _facts(body)):
            return False
        return self._expression is None or self._expression.holds_for(_members(body))


def _needles(values: Sequence[str]) -> list[bytes]:
    """What the bytes of a message must hold one of: the values as messages are written."""
    return [msgspec.json.encode(value) for value in values]


def _agree(wanted: Selection, facts: _Facts) -> bool:
    received = str(facts.received_at)
    return (
        (not wanted.since or received >= wanted.since)
        and (not wanted.until or received < wanted.until)
        and (not wanted.types or facts.type in wanted.types)
        and (not wanted.events or facts.event in wanted.events)
        and (not wanted.users or facts.user_id in wanted.users or facts.anonymous_id in wanted.users)
        and (not wanted.message_ids or facts.message_id in wanted.message_ids)
    )
