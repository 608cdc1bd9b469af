"""Read a dead letter as a commit wrote it down, and make a row of the database of it. Pure."""

import contextlib
from typing import Any

import msgspec

from schemas.message import Head, decode_head
from worker.database.tables import LONGEST_INDEXED
from worker.letters.cause import cause_id, cause_of

LONGEST_TRAIL = 20
UNREADABLE = "unreadable"
"""The code of a letter that nothing can be told of; its body is the record as it lay in the log."""

Row = dict[str, Any]
"""A row of `dead_letters` by column, without its number."""


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a commit wrote down. Earlier versions wrote down less."""

    message_id: str
    source: str
    destination: str
    position: str
    message: msgspec.Raw
    reason: str = ""
    code: str = ""
    attempts: int = 1
    died_at_ms: int = 0
    line: str = ""
    first_failed_at_ms: int = 0
    user: str = ""
    type: str = ""
    event: str = ""
    received_at: str = ""
    trail: list[dict[str, Any]] = []
    request: str = ""
    answer: str = ""


_decode = msgspec.json.Decoder(Record).decode


def row_of(record: bytes, *, partition: int, destination: str, entry: str, now_ms: int) -> Row:
    """The row of a letter that nobody has looked at yet. `entry` is where the record lay in the stream of letters."""
    try:
        return _row(_decode(record), partition, now_ms)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = msgspec.Raw(record)
        stray = Record(message_id="", source="", destination=destination, position=entry, message=message)
        why = "the record of this letter cannot be read"
        return _row(msgspec.structs.replace(stray, reason=why, code=UNREADABLE), partition, now_ms)


def _row(record: Record, partition: int, now_ms: int) -> Row:
    body = bytes(record.message)
    told = facts_of(body)
    reason = storable(record.reason)
    cause = cause_of(reason)
    return {
        "destination": record.destination,
        "partition": partition,
        "line": record.line or record.source,
        "position": record.position,
        "source": record.source,
        "message_id": storable(record.message_id)[:LONGEST_INDEXED],
        "user": indexable(record.user) or told["user"],
        "type": record.type or told["type"],
        "event": indexable(record.event) or told["event"],
        "received_at": record.received_at or told["received_at"],
        "reason": reason,
        "code": storable(record.code),
        "cause": cause,
        "cause_id": cause_id(record.code, cause),
        "attempts": record.attempts,
        "first_failed_at": record.first_failed_at_ms,
        "died_at": record.died_at_ms or now_ms,
        "trail": msgspec.json.encode(record.trail[-LONGEST_TRAIL:]).decode(),
        "request": storable(record.request),
        "answer": storable(record.answer),
        "body": body,
        "state": "dead",
        "state_at": now_ms,
        "retries": 0,
        "edited": False,
        "discard_reason": "",
    }


def facts_of(body: bytes) -> dict[str, str]:
    """The columns that a message itself decides: all empty where it cannot be read."""
    head = Head(type="", message_id="", timestamp="", received_at="")
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        head = decode_head(body)
    return {
        "user": indexable(head.user_id or head.anonymous_id or ""),
        "type": storable(head.type),
        "event": indexable(head.event if isinstance(head.event, str) else ""),
        "received_at": storable(head.received_at),
    }


def again(before: Row, now: Row) -> Row:
    """The columns to change in a letter that was sent again and has died once more."""
    trail = msgspec.json.decode(before["trail"]) + msgspec.json.decode(now["trail"])
    kept = ("id", "retries", "edited", "discard_reason", "source", "message_id")
    return {
        **{name: value for name, value in now.items() if name not in kept},
        "attempts": before["attempts"] + now["attempts"],
        "first_failed_at": before["first_failed_at"] or now["first_failed_at"],
        "trail": msgspec.json.encode(trail[-LONGEST_TRAIL:]).decode(),
    }


def indexable(text: str) -> str:
    return storable(text)[:LONGEST_INDEXED]


def storable(text: str) -> str:
    """PostgreSQL's texts cannot hold the character 0."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
