"""Say what is known of a user or group in the shapes of Segment's Profile API. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from collector.profiles.asked import cursor_text
from destinations.archive.people import Mention
from destinations.profiles.listing import Refused
from destinations.profiles.node import Collection, Node, at, message_of
from destinations.profiles.profile import ExternalId, Profile
from destinations.profiles.reading import Joined
from schemas.reserved import normal

Json = dict[str, Any]
ENCODING = "none"


def traits(profile: Profile, wanted: Sequence[str], *, after: str, limit: int) -> tuple[list[str], bool]:
    """The names of the traits of a page, and whether there are more; `wanted` in any spelling."""
    loose = {normal(name) for name in wanted}
    names = sorted(name for name in profile.view if name > after and (not wanted or normal(name) in loose))
    return names[:limit], len(names) > limit


def plain(profile: Profile, names: Iterable[str]) -> Json:
    found = profile.view
    return {name: found[name].value for name in names}


def verbose(profile: Profile, names: Iterable[str]) -> Json:
    """Each trait with when and by which source it was said last."""
    found = profile.view
    return {
        name: {"value": found[name].value, "source_id": found[name].source, "updated_at": at(found[name].stamp)}
        for name in names
    }


def external_ids(profile: Profile, types: Sequence[str]) -> list[Json]:
    wanted = [one for one in profile.ids if not types or one.type in types]
    return [{**_id(one, profile.collection), "first_message_id": message_of(one.stamp) or None} for one in wanted]


def metadata(profile: Profile) -> Json:
    first, last = profile.first, profile.last
    return {
        "created_at": at(first[0]) or None,
        "updated_at": at(last[0]) or None,
        "expires_at": None,
        "first_message_id": message_of(first[0]) or None,
        "first_source_id": first[1] or None,
        "last_message_id": message_of(last[0]) or None,
        "last_source_id": last[1] or None,
    }


def links(found: Iterable[Joined], to: Collection) -> list[Json]:
    """Groups of a user, or members of a group."""
    return [
        {
            "to_collection": to,
            "external_ids": [_id(ExternalId(one.kind, one.id, *one.first), to)],
            "updated_at": at(one.stamp),
        }
        for one in found
    ]


def listed(profile: Profile) -> Json:
    return {
        "collection": profile.collection,
        "external_ids": [_id(one, profile.collection) for one in profile.ids],
        "metadata": metadata(profile),
    }


def conflict(one: Refused) -> Json:
    """That an id was said to be a user, and is not."""
    return {
        "type": one.type,
        "id": one.id,
        "claimed_user_id": one.user,
        "why": one.why,
        "created_at": at(one.stamp),
        "first_message_id": message_of(one.stamp) or None,
    }


def event(mention: Mention, own: Json) -> Json:
    """A message as it was stored; `own` says whose it is when the message does not."""
    message = msgspec.json.decode(mention.body, type=Json)
    speaker = mention.spoken.speaker()
    said = {name: message[member] for member, name in _SAID.items() if member in message}
    return {
        "type": mention.spoken.type,
        "message_id": mention.spoken.message_id,
        "source_id": mention.slot.source,
        "timestamp": message.get("timestamp"),
        "received_at": mention.spoken.received_at,
        "event": mention.spoken.called or None,
        "properties": {},
        "context": {},
        **said,
        "external_ids": [_named(node) for node in sorted(set(mention.spoken.nodes()))],
        "related": {**own, **({"users": _name(speaker)} if speaker and "users" not in own else {})},
    }


_SAID = {
    "properties": "properties",
    "context": "context",
    "traits": "traits",
    "category": "category",
    "groupId": "group_id",
    "previousId": "previous_id",
}


def own_name(profile: Profile) -> Json:
    """The profile under the id that it is found by."""
    return {profile.collection: f"{profile.ids[0].type}:{profile.id}"}


def cursor(url: str, limit: int, place: object | None) -> Json:
    """`place`: where the next page begins; None at the end."""
    more = place is not None
    return {"url": url, "has_more": more, "next": cursor_text(place) if more else "", "limit": limit}


def _id(one: ExternalId, collection: Collection) -> Json:
    return {
        "collection": collection,
        "type": one.type,
        "id": one.id,
        "source_id": one.source or None,
        "created_at": at(one.stamp) or None,
        "encoding": ENCODING,
    }


def _named(node: Node) -> Json:
    return {"collection": node.collection, "type": node.kind, "id": node.value, "encoding": ENCODING}


def _name(node: Node) -> str:
    return f"{node.kind}:{node.value}"
