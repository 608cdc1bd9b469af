"""Tell with a profile when and by whom everything in it was said, so that a file can take its place. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from destinations.profiles.claims import Claims, Link, Membership, Why
from destinations.profiles.node import Kind, Node
from schemas.dates import stamped_ms

STORED = len("2024-02-29T23:59:59.999Z")


class Mark(NamedTuple):
    """When something was said, with the id of the message, and by whom."""

    at: str
    source: str


class Said(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Traits that were said at once; of another id than the one that stands for all, if one is named."""

    by: Mark
    traits: Sequence[str]
    type: Kind | None = None
    id: str = ""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An id, when it was heard of first and last, and whether it was called a user by name."""

    type: Kind
    id: str
    first: Mark
    last: Mark
    known: bool = False


class Linked(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """That an id is some user, whether that holds or not."""

    type: Kind
    id: str
    user: str
    why: Why
    at: str


class Belonging(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A membership; `first` is when its other end was heard of first: the group of a user, the user of a group."""

    type: Kind
    id: str
    group: str
    by: Mark
    first: Mark | None = None
    joined: bool = True


class Also(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An id by which the user can be found too; `of` another id than the one that stands for all, if one is named."""

    type: str
    id: str
    by: Mark
    of: tuple[Kind, str] | None = None


class History(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    said: Sequence[Said] = ()
    seen: Sequence[Seen] = ()
    links: Sequence[Linked] = ()
    groups: Sequence[Belonging] = ()
    external_ids: Sequence[Also] = ()


class _Moment:
    """What was said of one id at one time by one source."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.traits: dict[str, Any] = {}
        self.known = False
        self.links: list[Link] = []
        self.memberships: list[Membership] = []
        self.external_ids: list[tuple[str, str]] = []

    def claims(self, about: Node, by: Mark) -> Claims:
        return Claims(
            stamp=by.at,
            source=by.source,
            nodes=tuple(self.nodes),
            about=about,
            traits=self.traits,
            known=self.known,
            links=tuple(self.links),
            memberships=tuple(self.memberships),
            external_ids=tuple(self.external_ids),
        )


class _Telling:
    """The moments of one user or group."""

    def __init__(self, broken: type[Exception]) -> None:
        self._broken = broken
        self._moments: dict[tuple[Mark, Node], _Moment] = {}

    def at(self, by: Mark, node: Node) -> _Moment:
        key = (by, node)
        found = self._moments.get(key)
        if found is None:
            if by.at[STORED : STORED + 1] != " " or stamped_ms(by.at[:STORED]) is None:
                raise self._broken(f"history: expected a time and the id of a message, found {by.at!r}")
            found = self._moments[key] = _Moment()
        return found

    def claims(self) -> list[Claims]:
        return [moment.claims(node, by) for (by, node), moment in self._moments.items()]


def told(about: Node, traits: dict[str, Any], history: History, *, broken: type[Exception]) -> list[Claims]:
    """The claims that lead to what the history tells, and no others. Raises `broken`."""
    telling = _Telling(broken)
    for said in history.said:
        node = Node(said.type, said.id) if said.type else about
        try:
            telling.at(said.by, node).traits.update({name: traits[name] for name in said.traits})
        except KeyError as error:
            raise broken(f"history.said: expected names of traits, found {error.args[0]!r}") from error
    for seen in history.seen:
        node = Node(seen.type, seen.id)
        first = telling.at(seen.first, node)
        first.nodes.append(node)
        first.known |= seen.known
        if seen.last != seen.first:
            telling.at(seen.last, node).nodes.append(node)
    for link in history.links:
        telling.at(Mark(link.at, ""), about).links.append(Link(Node(link.type, link.id), link.user, link.why))
    for one in history.groups:
        person, group = Node(one.type, one.id), Node("group_id", one.group)
        other = person if about == group else group
        if one.first:
            telling.at(one.first, other).nodes.append(other)
        telling.at(one.by, about).memberships.append(Membership(person, one.group, one.joined))
    for also in history.external_ids:
        telling.at(also.by, Node(*also.of) if also.of else about).external_ids.append((also.type, also.id))
    return telling.claims()
