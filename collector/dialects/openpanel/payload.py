"""Read the members of a payload, or say which of them is not what it should be. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from collector import decoding
from collector.errors import BadBody
from schemas.depth import is_within
from schemas.identifiers import decimal_text
from schemas.wording import SOME_ID, described

Payload = Mapping[str, Any]

_DEPTH = 200
_SEGMENT = " (this is OpenPanel's API; a message as Segment has them goes to /v1/track)"
_decode = msgspec.json.Decoder().decode


def document(text: bytes) -> dict[str, Any]:
    """The body. Raises BadBody when it is no JSON object."""
    if not is_within(text, _DEPTH):
        raise BadBody("too_deep", f"the body is nested more than {_DEPTH} levels deep")
    try:
        found = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = _decode(decoding.mended(text))
    if not isinstance(found, dict):
        raise BadBody("not_an_object", f"the body should be a JSON object, not {described(found)}")
    return found


def typed(body: Payload) -> tuple[str, dict[str, Any]]:
    """What the body of a `/track` is about, and what it says of that."""
    kind, payload = body.get("type"), body.get("payload")
    if not isinstance(kind, str) or not isinstance(payload, dict):
        hint = _SEGMENT if "payload" not in body else ""
        raise BadBody("bad_request", f"the body should hold a `type` and the object `payload`{hint}")
    return kind, payload


def wrong(name: str, expected: str, found: object) -> BadBody:
    return BadBody("bad_request", f"`{name}`: expected {expected}, found {described(found)}")


def _wrong_member(payload: Payload, name: str, expected: str) -> BadBody:
    if name not in payload:
        return BadBody("bad_request", f"`{name}` is missing: expected {expected}")
    return wrong(name, expected, payload[name])


def text(payload: Payload, name: str) -> str:
    """A member that must be there, and be text."""
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong_member(payload, name, "a non-empty string")
    return value


def some_id(payload: Payload, name: str) -> str:
    """An id that must be there."""
    found = maybe_id(payload, name)
    if not found:
        raise _wrong_member(payload, name, SOME_ID)
    return found


def maybe_id(payload: Payload, name: str) -> str:
    """An id; empty when there is none."""
    value = payload.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, SOME_ID, value)
    return decimal_text(value)


def members(payload: Payload, name: str) -> dict[str, Any]:
    """An object; empty when there is none."""
    value = payload.get(name)
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise wrong(name, "an object", value)
    return value


def ids(payload: Payload, name: str) -> list[str]:
    """A list of ids with at least one in it."""
    value = payload.get(name)
    if not isinstance(value, list) or not value:
        raise _wrong_member(payload, name, "a list of ids")
    return list(dict.fromkeys(some_id({name: each}, name) for each in value))


def whole_number(payload: Payload, name: str, least: int, most: int) -> None:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadBody("bad_request", f"`{name}`: expected a whole number from {least} to {most}")
