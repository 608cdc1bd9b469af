"""Say of whom a stored message speaks. Pure."""

from collections.abc import Callable, Iterator
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

    def nodes(self) -> list[Node]:
        """All ids that it names; one that it names twice may be there twice."""
        found = []
        if self.user_id:
            found.append(Node("user_id", self.user_id))
        if self.anonymous_id:
            found.append(Node("anonymous_id", self.anonymous_id))
        context = self.context
        if self.group_id or self.previous_id or context.group_id or context.groups:
            found += self._others()
        return found

    def _others(self) -> Iterator[Node]:
        if self.previous_id and isinstance(self.previous_id, str):
            # Whether it is one of a user or of a visitor, the message does not say.
            yield Node("user_id", self.previous_id)
            yield Node("anonymous_id", self.previous_id)
        several = self.context.groups if isinstance(self.context.groups, list) else ()
        for value in (self.group_id, self.context.group_id, *several):
            if isinstance(value, str) and value:
                yield Node("group_id", value)

    def speaker(self) -> Node | None:
        """The one user or visitor whose message it is: one visitor's browser may have been used by several users."""
        if self.user_id:
            return Node("user_id", self.user_id)
        return Node("anonymous_id", self.anonymous_id) if self.anonymous_id else None


spoken: Callable[[bytes], Spoken] = msgspec.json.Decoder(Spoken).decode
