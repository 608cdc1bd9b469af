"""Decode a message so that whatever is let through can be stored without loss."""

import re
from typing import Any

import msgspec

from schemas.depth import is_within
from schemas.errors import Invalid, Violation
from schemas.limits import Limits

_HALF_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_decode = msgspec.json.Decoder().decode


def read(raw: bytes, limits: Limits) -> dict[str, Any]:
    """The message that the bytes hold. Raises Invalid.

    Numbers that no double can hold (1e400), integers longer than 4,300 characters and halves of surrogate pairs
    are refused here. Other integers are kept exactly, however large; fractions are doubles.
    """
    if len(raw) > limits.message_bytes:
        raise _refused("size", f"at most {limits.message_bytes:,} bytes long", f"{len(raw):,} bytes long")
    if not is_within(raw, limits.depth):
        raise _refused("depth", f"nested at most {limits.depth} levels deep", "nested deeper")
    try:
        message = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused("json", "valid JSON", _trouble(raw, error)) from error
    if message.__class__ is not dict:
        raise _refused("type", "a JSON object", "another kind of value")
    return message


def _refused(rule: str, expected: str, found: str) -> Invalid:
    return Invalid((Violation("", rule, expected, found, "bad_request"),))


def _trouble(raw: bytes, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start} of a text"
    if _HALF_PAIR.search(raw):
        return "not (a text holds half of a surrogate pair)"
    return f"not ({error})"
