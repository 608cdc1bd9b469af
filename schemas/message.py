"""Give a normalised message a type for each of its six kinds. Members that a type does not name are left out."""

from collections.abc import Callable
from typing import Any

import msgspec


class _Common(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    message_id: str
    timestamp: str
    received_at: str
    original_timestamp: str
    sent_at: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    context: dict[str, Any] = {}
    integrations: dict[str, Any] | None = None


class Identify(_Common, frozen=True, kw_only=True, rename="camel", tag="identify"):
    traits: dict[str, Any] = {}


class Track(_Common, frozen=True, kw_only=True, rename="camel", tag="track"):
    event: str
    properties: dict[str, Any] = {}


class Page(_Common, frozen=True, kw_only=True, rename="camel", tag="page"):
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] = {}


class Screen(_Common, frozen=True, kw_only=True, rename="camel", tag="screen"):
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] = {}


class Group(_Common, frozen=True, kw_only=True, rename="camel", tag="group"):
    group_id: str
    traits: dict[str, Any] = {}


class Alias(_Common, frozen=True, kw_only=True, rename="camel", tag="alias"):
    user_id: str
    previous_id: str


Message = Identify | Track | Page | Screen | Group | Alias


class Head(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What routing needs of a message of any type."""

    type: str
    message_id: str
    timestamp: str
    received_at: str
    user_id: str | None = None
    anonymous_id: str | None = None
    group_id: str | None = None
    event: Any = None
    """A string in a track message. Messages of other types may carry anything under that name."""
    integrations: dict[str, Any] | None = None


decode_head: Callable[[bytes], Head] = msgspec.json.Decoder(Head).decode
decode_message: Callable[[bytes], Message] = msgspec.json.Decoder(Message).decode


def identity(message: Message | Head) -> str:
    """Whose message it is: the key that order and partition follow."""
    return message.user_id or message.anonymous_id or getattr(message, "group_id", None) or ""


def identity_of(message: dict[str, Any]) -> str:
    """The same for a message that `normalise` has just made."""
    who = message.get("userId") or message.get("anonymousId") or message.get("groupId")
    return who if who.__class__ is str else ""
