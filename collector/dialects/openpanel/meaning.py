"""Say in Segment-spec messages what OpenPanel's payloads mean. Pure.

Each function gives the messages of one type of payload, in the order in which they are to be stored. What all messages
of a request share is added by the reader of the request.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collector.dialects.openpanel.payload import Payload, ids, maybe_id, members, some_id, text, whole_number, wrong
from collector.dialects.openpanel.special import Special
from collector.dialects.openpanel.visitor import Visitor, is_app
from collector.errors import BadBody, BadRequest

Said = dict[str, Any]
"""One message."""


class Asked(msgspec.Struct, frozen=True):
    """What a request says, and for whom."""

    payload: Payload
    special: Special
    visitor: Visitor
    sdk: str


_RESERVED = ("session_start", "session_end")
_TRAITS = ("firstName", "lastName", "email", "avatar")
_GROUPS_AT_ONCE = 100
_REPLAY_CHARS = 2_097_152


def tracked(asked: Asked) -> list[Said]:
    """`track`: an event; a view of a screen; and before it the person, where the event brings one."""
    payload, special = asked.payload, asked.special
    name = text(payload, "name")
    if name in _RESERVED:
        raise BadBody("bad_request", f"`name`: {name} is made by the server, and cannot be sent")
    person = members({"__identify": special.identify}, "__identify")
    user = maybe_id(payload, "profileId") or maybe_id(person, "profileId")
    first = [_person({**person, "profileId": maybe_id(person, "profileId") or user}, asked.visitor)] if person else []
    parts = {"groups": payload.get("groups"), "page": special.page, "app": special.app}
    context = {member: part for member, part in parts.items() if part}
    event = {
        **_what(name, special, asked.sdk),
        **_who(user, asked.visitor),
        **({"context": context} if context else {}),
    }
    return [*first, event if special.timestamp is None else {**event, "timestamp": special.timestamp}]


def _what(name: str, special: Special, sdk: str) -> Said:
    if name != "screen_view":
        return {"type": "track", "event": name, "properties": special.properties}
    properties = {**special.properties, **special.page}
    if not is_app(sdk):
        return {"type": "page", "properties": properties}
    path = special.page.get("path")
    return {"type": "screen", **({"name": path} if isinstance(path, str) else {}), "properties": properties}


def identified(asked: Asked) -> list[Said]:
    """`identify`: traits of a person."""
    return [_person(asked.payload, asked.visitor)]


def _person(payload: Payload, visitor: Visitor) -> Said:
    user = some_id(payload, "profileId")
    # The SDK adds to the traits what goes with every event, its own facts among it.
    own = {name: value for name, value in members(payload, "properties").items() if not name.startswith("__")}
    named = {name: payload[name] for name in _TRAITS if payload.get(name) is not None}
    return {"type": "identify", **_who(user, visitor), "traits": {**own, **named}}


def aliased(asked: Asked) -> list[Said]:
    """`alias`: one person under two ids."""
    user, other = some_id(asked.payload, "profileId"), some_id(asked.payload, "alias")
    return [{"type": "alias", "userId": user, "previousId": other}]


def grouped(asked: Asked) -> list[Said]:
    """`group`: traits of a group, whoever belongs to it."""
    payload = asked.payload
    traits = {**members(payload, "properties"), "name": text(payload, "name"), "type": text(payload, "type")}
    upsert = {"operations": [{"op": "upsert"}]}
    return [{"type": "group", "groupId": some_id(payload, "id"), "traits": traits, "context": upsert}]


def assigned(asked: Asked) -> list[Said]:
    """`assign_group`: a person belongs to these groups too."""
    who = _who(maybe_id(asked.payload, "profileId"), asked.visitor)
    groups = ids(asked.payload, "groupIds")
    if len(groups) > _GROUPS_AT_ONCE:
        raise BadBody("bad_request", f"`groupIds`: expected at most {_GROUPS_AT_ONCE} ids, found {len(groups)}")
    return [{"type": "group", "groupId": group, **who} for group in groups]


def added(asked: Asked) -> list[Said]:
    """`increment`: a number among the traits of a person grows."""
    return [_changed(asked.payload, _amount(asked.payload))]


def taken_away(asked: Asked) -> list[Said]:
    """`decrement`: a number among the traits of a person shrinks."""
    return [_changed(asked.payload, -_amount(asked.payload))]


def _changed(payload: Payload, by: float) -> Said:
    operation = {"op": "increment", "trait": text(payload, "property"), "by": by}
    user = some_id(payload, "profileId")
    return {"type": "identify", "userId": user, "traits": {}, "context": {"operations": [operation]}}


def _amount(payload: Payload) -> float:
    value = payload.get("value")
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise wrong("value", "a number above 0", value)
    return value


def _who(user: str, visitor: Visitor) -> Said:
    """The person, and the device that speaks for this person alone."""
    if not user:
        return {"anonymousId": visitor.device}
    return {"userId": user, **({"anonymousId": visitor.device} if visitor.alone else {})}


def recorded(asked: Asked) -> list[Said]:
    """`replay`: no message says what a screen looked like, but a mistake is told."""
    try:
        whole_number(asked.payload, "chunk_index", 0, 65_535)
        whole_number(asked.payload, "events_count", 1, 1 << 53)
        recording = text(asked.payload, "payload")
    except BadBody as bad:
        raise BadRequest(bad.code, bad.message) from bad  # nothing would come of it: it is not worth keeping
    if len(recording) > _REPLAY_CHARS:
        raise BadRequest("bad_request", f"`payload`: expected at most {_REPLAY_CHARS:,} characters")
    return []


REPLAY = "replay"
MEANINGS: Mapping[str, Callable[[Asked], list[Said]]] = {
    "track": tracked,
    "identify": identified,
    "alias": aliased,
    "group": grouped,
    "assign_group": assigned,
    "increment": added,
    "decrement": taken_away,
    REPLAY: recorded,
}
