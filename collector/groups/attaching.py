"""Give messages that name no group the groups of their users, on their way to the log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from collector.groups.asking import Asking
from collector.groups.fading import Fading
from collector.log_port import Item
from destinations.profiles.claims import claims_of
from destinations.profiles.membership import Standing, Standings, joined, latest
from destinations.profiles.node import Node
from schemas.groups import attach_groups
from schemas.message import decode_message

KNOWN_FOR = 5.0
"""Seconds for which an answer of the database holds."""
SAID_FOR = 60.0
"""Seconds for which we remember ourselves what group messages said: by then the database has it."""
MOST_KNOWN = 50_000
"""People and groups of theirs, from the database and as many from messages; some 15 MB."""
MOST_SAID = 200
"""Groups of one person."""

_EVENTS = frozenset({"track", "page", "screen"})
_encode = msgspec.json.Encoder().encode


class _Named(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Whether the context of a message names groups."""

    groups: Any = None
    group_id: Any = None


class _Short(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What of a message says whether it wants groups, and whose."""

    type: str
    user_id: str | None = None
    anonymous_id: str | None = None
    context: _Named = _Named()

    def person(self) -> Node | None:
        """Whose groups it wants; None when it wants none."""
        if self.type not in _EVENTS or self.context.groups or self.context.group_id:
            return None
        if self.user_id:
            return Node("user_id", self.user_id)
        return Node("anonymous_id", self.anonymous_id) if self.anonymous_id else None


_short: Callable[[bytes], _Short] = msgspec.json.Decoder(_Short).decode


class Attaching:
    """What this collector knows of who is in which group: from the database, and from what it was just told."""

    def __init__(self, asking: Asking, clock: Callable[[], float]) -> None:
        self._asking = asking
        self._known: Fading[Node, Standings] = Fading(KNOWN_FOR, MOST_KNOWN, clock)
        self._said: Fading[Node, Standings] = Fading(SAID_FOR, MOST_KNOWN, clock)

    async def opened(self) -> None:
        """Wait until it can be asked, so that the first messages have their groups; not for long."""
        await self._asking.opened()

    async def attached(self, items: Sequence[Item]) -> list[Item]:
        """The same messages in the same order, with groups where they want some.

        What a group message says counts for those that come after it.
        """
        short = [_short(item.body) for item in items]
        people = [each.person() for each in short]
        standings = await self._standings([person for person in people if person is not None])
        attached: list[Item] = []
        for item, head, person in zip(items, short, people, strict=True):
            if head.type == "group":
                self._hear(item)
            groups = [] if person is None else joined(latest(standings.get(person, {}), self._said.get(person) or {}))
            attached.append(_with_groups(item, groups) if groups else item)
        return attached

    def stop(self) -> None:
        self._asking.stop()

    async def _standings(self, people: Sequence[Node]) -> Mapping[Node, Standings]:
        found: dict[Node, Standings] = {}
        unknown: dict[Node, None] = {}
        for person in people:
            known = self._known.get(person)
            if known is None:
                unknown[person] = None
            else:
                found[person] = known
        if unknown:
            messages = sum(person in unknown for person in people)
            answer = await self._asking.about(unknown, messages)
            if answer is not None:
                for person in unknown:
                    found[person] = answer.get(person, {})
                    self._known.put(person, found[person])
        return found

    def _hear(self, item: Item) -> None:
        claims = claims_of(decode_message(item.body), item.source)
        for one in claims.memberships:
            said = {Node("group_id", one.group).value: Standing(claims.stamp, one.joined)}
            before = self._said.get(one.node) or {}
            if len(before) < MOST_SAID:
                self._said.put(one.node, latest(before, said))


def _with_groups(item: Item, groups: Sequence[str]) -> Item:
    message = msgspec.json.decode(item.body, type=dict[str, Any])
    attach_groups(message, groups)
    return msgspec.structs.replace(item, body=_encode(message))
