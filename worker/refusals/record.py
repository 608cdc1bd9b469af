"""Read what was refused as the collector wrote it down, and make a row of the database of it. Pure."""

import hashlib
from typing import Any

import msgspec

from schemas.dates import stamped_ms
from schemas.errors import Violation
from worker.database.tables import LONGEST_INDEXED

LONGEST_WORDS = 1_000

Row = dict[str, Any]
"""A row of `refusals` by column, without its number."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the collector wrote down: `collector.log_port.Refusal`."""

    source: str
    kind: str
    path: str
    raw: bytes
    size: int
    violations: tuple[Violation, ...]
    received_at: str = ""


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    """What can be told of a message that is wrong: of any type, each member."""

    message_id: Any = None
    type: Any = None
    event: Any = None
    user_id: Any = None
    anonymous_id: Any = None


_decode = msgspec.json.Decoder(Record).decode
_decode_names = msgspec.json.Decoder(_Named).decode


def row_of(record: bytes, *, source: str, now_ms: int) -> Row:
    """The row of one arrival."""
    try:
        return row(_decode(record), now_ms)
    except (msgspec.DecodeError, UnicodeDecodeError):
        why = Violation("", "body", "a record", "the record of this refusal cannot be read", "unreadable")
        stray = Record(source=source, kind="body", path="", raw=record, size=len(record), violations=(why,))
        return row(stray, now_ms)


def row(record: Record, now_ms: int) -> Row:
    """The same for what has been read already."""
    at = stamped_ms(record.received_at) or now_ms
    first = record.violations[0] if record.violations else Violation("", "unknown", "", "")
    return {
        "digest": digest_of(record),
        "source": record.source,
        "kind": record.kind,
        "path": _storable(record.path, LONGEST_INDEXED),
        "raw": record.raw,
        "size": record.size,
        "violations": msgspec.json.encode(record.violations).decode(),
        "rule": _storable(rule_of(first), LONGEST_INDEXED),
        "wrong": _storable(words_of(record.violations), LONGEST_WORDS),
        **_facts(record.raw),
        "received_at": at,
        "last_at": at,
        "count": 1,
        "state": "held",
        "state_at": now_ms,
        "edited": False,
        "discard_reason": "",
    }


def digest_of(record: Record) -> str:
    """The same for what a client sends again because it was refused."""
    told = (record.source, record.kind, record.path, record.raw, record.violations)
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=16).hexdigest()


def rule_of(violation: Violation) -> str:
    """`userId:type`; of what could not be read as messages, the code that says why."""
    return violation.code if violation.rule == "body" else f"{violation.path or 'message'}:{violation.rule}"


def words_of(violations: tuple[Violation, ...]) -> str:
    return " ".join(each.found if each.rule == "body" else each.sentence() for each in violations)


def _facts(raw: bytes) -> dict[str, str]:
    try:
        found = _decode_names(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Named()
    return {
        "message_id": _shown(found.message_id),
        "type": _shown(found.type),
        "event": _shown(found.event),
        "user": _shown(found.user_id) or _shown(found.anonymous_id),
    }


def _shown(value: Any) -> str:
    return _storable(str(value), LONGEST_INDEXED) if isinstance(value, str | int | float) else ""


def _storable(text: str, most: int) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:most]
