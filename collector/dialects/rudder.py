"""RudderStack's API where it goes beyond Segment's: merges, a pixel, and what its browser SDK asks before it sends."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from collector import answers, decoding
from collector.accept import Refused
from collector.answers import Answer
from collector.auth import Grant, Keys
from collector.dialects.dialect import Dialect, Facts, Telling, alone, refused_item
from collector.dialects.pixel import Pixel
from collector.request import Request
from schemas.errors import Invalid, Violation

MERGE = "mergeProperties"
_PATHS = {"userid": "userId", "user_id": "userId", "anonymousid": "anonymousId", "anonymous_id": "anonymousId"}
_PAIR = "an array of exactly two objects {type, value}"

_json = msgspec.json.Decoder()


class _Identity(msgspec.Struct, frozen=True):
    kind: str
    """userId, anonymousId, or the name that the client has for it, such as email."""
    value: str


class Merge(Dialect):
    """`/v1/merge`: two identities are of one person."""

    def inside(self, text: bytes, keys: Keys) -> Grant:
        return keys.inside_body((decoding.write_key(text),))

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return _merge(_members(text), text)

    def repaired(self, request: Request, raw: bytes) -> Telling | None:
        members = _members(raw)
        return _merge(members, raw) if MERGE in members else None


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    return decoding.members(text, "the body should be an object with the array `mergeProperties`")


def _merge(members: Mapping[str, msgspec.Raw], text: bytes) -> Telling:
    try:
        message = merged_ids(members)
    except Invalid as invalid:
        return Telling(messages=(), refused=(refused_item(0, text, *invalid.violations),))
    return alone(message)


def merged_ids(members: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """An alias where a user id is among the two, else an identify that knows both by other names. Raises Invalid."""
    message: dict[str, Any] = {name: value for name, value in members.items() if name not in (MERGE, "type")}
    pair = _pair(members.get(MERGE))
    known = {one.kind: one.value for one in reversed(pair) if one.kind in ("userId", "anonymousId")}
    others = [one for one in pair if one.value != known.get(one.kind)]
    if "userId" in known and not [one for one in others if one.kind != "userId"]:
        previous = others[0].value if others else known.get("anonymousId", known["userId"])
        return {**message, "type": "alias", "userId": known["userId"], "previousId": previous}
    return _identify({**message, **known}, others, members)


def _identify(
    message: dict[str, Any], others: Sequence[_Identity], members: Mapping[str, msgspec.Raw]
) -> dict[str, Any]:
    if _absent(message.get("userId")) and _absent(message.get("anonymousId")):
        expected = "with a user id or an anonymousId as one of the two, or beside them"
        raise Invalid((Violation(MERGE, "identity", expected, "neither", "merge_of_nobody"),))
    context = _json.decode(bytes(members["context"])) if "context" in members else {}
    context = context if isinstance(context, dict) else {}
    ids = [{"id": one.value, "type": one.kind, "collection": "users", "encoding": "none"} for one in others]
    said = context.get("externalIds")
    every = [*said, *ids] if isinstance(said, list) else ids
    return {**message, "type": "identify", "context": {**context, "externalIds": every}}


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, msgspec.Raw) and bytes(value) in (b"null", b'""'))


def _pair(raw: msgspec.Raw | None) -> list[_Identity]:
    found = None if raw is None else _json.decode(bytes(raw))
    if not isinstance(found, list):
        raise _invalid(MERGE, _PAIR, "nothing" if found is None else "another kind of value")
    if len(found) != 2:
        raise _invalid(MERGE, _PAIR, f"an array of {len(found)}")
    first, second = (_identity(one, place) for place, one in enumerate(found))
    if first == second:
        raise _invalid(MERGE, "two different identities", "the same one twice")
    return [first, second]


def _identity(one: object, place: int) -> _Identity:
    where = f"{MERGE}[{place}]"
    if not isinstance(one, dict):
        raise _invalid(where, "an object {type, value}", "another kind of value")
    kind, value = one.get("type"), one.get("value")
    if not isinstance(kind, str) or not kind:
        raise _invalid(f"{where}.type", "a string, such as email", "another kind of value" if kind else "nothing")
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        found = "nothing" if value is None or value == "" else "another kind of value"
        raise _invalid(f"{where}.value", "a string or a whole number", found)
    return _Identity(_PATHS.get(kind.lower(), kind), str(value))


def _invalid(path: str, expected: str, found: str) -> Invalid:
    return Invalid((Violation(path, "merge", expected, found, "bad_merge"),))


class RudderPixel(Pixel):
    """Flat parameters, where templates may have left quotes around the anonymousId."""

    def meant(self, message: dict[str, Any]) -> dict[str, Any]:
        who = message.get("anonymousId")
        return {**message, "anonymousId": who.strip("\"'")} if isinstance(who, str) else message


class SourceConfig(Dialect):
    """`/sourceConfig`: what the browser SDK has to know before it sends anything."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return Telling(messages=(), reply=facts.source)

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        source = telling.reply
        off = {"enabled": False}
        config = {"statsCollection": {"errors": off, "metrics": off}}
        told = {"id": source, "name": source, "enabled": True, "config": config, "destinations": [], "dataplanes": {}}
        return answers.answer(200, msgspec.json.encode({"source": told}), (b"cache-control", b"no-cache"))
