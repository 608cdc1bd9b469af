"""Say of whom a stored message speaks. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from destinations.profiles.node import Node


class _Groups(msgspec.Struct, frozen=True, rename="camel"):
    group_id: Any = None
    groups: Any = None


class Spoken(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What is looked at of a message."""

    type: str
    message_id: str
    received_at: str
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: Any = None
    group_id: Any = None
    event: Any = None
    name: Any = None
    context: _Groups = _Groups()

    @property
    def called(self) -> str:
        """The name of the event, the page or the screen."""
        name = self.event if self.type == "track" else self.name
        return name if isinstance(name, str) else ""

    def nodes(self) -> set[Node]:
        """All ids that it names."""
        found = self.groups()
        if self.user_id:
            found.add(Node("user_id", self.user_id))
        if self.anonymous_id:
            found.add(Node("anonymous_id", self.anonymous_id))
        if self.previous_id and isinstance(self.previous_id, str):
            # Whether it is one of a user or of a visitor, the message does not say.
            found |= {Node("user_id", self.previous_id), Node("anonymous_id", self.previous_id)}
        return found

    def groups(self) -> set[Node]:
        several = self.context.groups if isinstance(self.context.groups, list) else ()
        named = (self.group_id, self.context.group_id, *several)
        return {Node("group_id", value) for value in named if isinstance(value, str) and value}

    def speaker(self) -> Node | None:
        """The one user or visitor whose message it is: one visitor's browser may have been used by several users."""
        if self.user_id:
            return Node("user_id", self.user_id)
        return Node("anonymous_id", self.anonymous_id) if self.anonymous_id else None


spoken: Callable[[bytes], Spoken] = msgspec.json.Decoder(Spoken).decode
