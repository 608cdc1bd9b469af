"""Make Segment-spec messages of what Dopt's users API calls users and groups. Pure."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from collector import decoding
from collector.errors import BadBody
from schemas.errors import Invalid, Violation

OF_FLAT_USERS = "__dopt_identifier"
"""Stands beside the properties themselves, hence the prefix."""

Item = dict[str, msgspec.Raw]
"""A JSON object whose values nobody has looked at yet."""
Message = dict[str, Any]
Reader = Callable[[Item], list[Message]]

_ABSENT = (b"", b"null")
_SEGMENT = ("identify", "group")
_OF_SEGMENT = {"userId", "anonymousId"}
_OURS = " (this is Dopt's API; a message as Segment has them goes to /v1/identify)"

encode = msgspec.json.Encoder().encode
_item = msgspec.json.Decoder(Item)
_array = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


def array(text: bytes) -> list[msgspec.Raw]:
    try:
        return _array.decode(decoding.mended(text))
    except msgspec.ValidationError:
        raise BadBody("not_an_array", "the body should be an array of users") from None


def members(raw: bytes) -> Item:
    try:
        return _item.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise _invalid("", "an object", "another kind of value", "not_an_object") from None


def user(item: Item) -> list[Message]:
    """The user, then each group that it is in. Raises Invalid."""
    if OF_FLAT_USERS in item:
        identifier = _identifier(item, OF_FLAT_USERS)
        return [_identify(identifier, item)]
    identifier = _identifier(item, "identifier")
    groups = list(_groups(identifier, item.pop("groups", None)))
    return [_identify(identifier, _properties(item, "")), *groups]


def user_of_path(identifier: str, properties: Item) -> list[Message]:
    return [_identify(identifier, properties)]


def group_alone(item: Item) -> list[Message]:
    """A group, of which nobody is told to be a member. Raises Invalid."""
    identifier = _identifier(item, "identifier")
    message = {"type": "group", "groupId": identifier, "traits": _properties(item, "")}
    return [{**message, "context": {"operations": [{"op": "upsert"}]}}]


def of_segment(item: Item) -> list[Message]:
    """The message itself. Raises Invalid."""
    said = _value(item.get("type"))
    if said not in _SEGMENT:
        raise _invalid("type", "identify or group", "another value" if said else "nothing", "bad_type")
    return [dict(item)]


def identifier_of_path(quoted: bytes) -> str:
    """The identifier in a path, where clients write it with percent signs."""
    try:
        identifier = unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        raise BadBody("bad_identifier", "the identifier in the path is not UTF-8") from None
    if not identifier:
        raise BadBody("bad_identifier", "the identifier in the path is empty")
    return identifier


def is_message(raw: bytes) -> bool:
    """Whether this was made here already: a Segment-spec message, and not a user as it was sent."""
    try:
        item = _item.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        return False
    return {"type", "userId"} <= item.keys() and not {OF_FLAT_USERS, "identifier"} & item.keys()


def _identify(identifier: str | float, traits: Item) -> Message:
    return {"type": "identify", "userId": identifier, "traits": traits}


def _groups(user_id: str | float, raw: msgspec.Raw | None) -> Iterator[Message]:
    if raw is None or bytes(raw) in _ABSENT:
        return
    try:
        groups = _array.decode(raw)
    except msgspec.ValidationError:
        raise _invalid("groups", "an array of groups", "another kind of value", "bad_groups") from None
    for number, each in enumerate(groups):
        try:
            group = _item.decode(each)
        except msgspec.ValidationError:
            raise _invalid(f"groups.{number}", "an object", "another kind of value", "bad_groups") from None
        identifier = _identifier(group, "identifier", f"groups.{number}.")
        traits = _properties(group, f"groups.{number}.")
        yield {"type": "group", "userId": user_id, "groupId": identifier, "traits": traits}


def _identifier(item: Item, name: str, where: str = "") -> str | float:
    """The identifier, which is then no longer among the members."""
    if name not in item:
        hint = _OURS if not where and _OF_SEGMENT & item.keys() else ""
        raise _invalid(f"{where}{name}", f"a non-empty string{hint}", "nothing", "no_identifier")
    value = _value(item.pop(name))
    if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        return value
    raise _invalid(f"{where}{name}", "a non-empty string", "empty or another kind of value", "bad_identifier")


def _properties(item: Item, where: str) -> Item:
    """The properties; what stands beside them by mistake, or in the older style, is one too."""
    raw = item.pop("properties", None)
    if raw is None or bytes(raw) in (*_ABSENT, b"[]"):
        return item
    try:
        return {**item, **_item.decode(raw)}
    except msgspec.ValidationError:
        raise _invalid(f"{where}properties", "an object", "another kind of value", "bad_properties") from None


def _value(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else _any.decode(raw)


def _invalid(path: str, expected: str, found: str, code: str) -> Invalid:
    return Invalid((Violation(path, "dopt", expected, found, code),))
