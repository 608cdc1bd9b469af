"""Tell a user, a visitor or a group as a row, from what the tables hold of all its ids. Pure."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from destinations.profiles.claims import Why
from destinations.profiles.document import Document, decode
from destinations.profiles.history import Also, Belonging, History, Linked, Mark, Said, Seen
from destinations.profiles.node import Kind, at
from destinations.profiles.profile import Added, counted, whole
from destinations.profiles.rows import GroupRow, UserRow


class Member(NamedTuple):
    """A row of the nodes, column by column."""

    id: int
    kind: Kind
    value: str
    root: int
    standing: bytes
    doc: bytes
    first: str
    first_source: str
    last: str
    last_source: str
    known: bool
    counted: bool
    erased: str


class Joined(NamedTuple):
    """A membership, joined or left, and when the group was heard of first."""

    node: int
    group: str
    joined: bool
    stamp: str
    source: str
    first: str
    first_source: str


class Linking(NamedTuple):
    node: int
    user: str
    why: Why
    stamp: str


class External(NamedTuple):
    type: str
    value: str
    node: int
    stamp: str
    source: str


class Family:
    """The ids that are one: first the one that stands for all."""

    def __init__(self, root: Member) -> None:
        self.root = root
        self.nodes = [root]
        self.links: list[Linking] = []
        self.groups: list[Joined] = []
        self.external_ids: list[External] = []
        self.additions: list[Added] = []

    @property
    def heard_of(self) -> bool:
        return any(node.last for node in self.nodes)

    def user(self, history: History | None) -> UserRow:
        root, others = self.root, self.nodes[1:]
        known = root.kind == "user_id"
        return UserRow(
            id=root.value if known else "",
            anonymous_id="" if known else root.value,
            traits=self._values(),
            anonymous_ids=tuple([node.value for node in others if node.last and node.kind == "anonymous_id"]),
            user_ids=tuple([node.value for node in others if node.last and node.kind == "user_id"]),
            groups=self._groups(),
            timestamp=self._last_said(),
            history=history,
        )

    def group(self, history: History | None) -> GroupRow:
        return GroupRow(id=self.root.value, traits=self._values(), timestamp=self._last_said(), history=history)

    def history(self) -> History:
        """When and by whom all of it was said, and of which id."""
        by_id = {node.id: node for node in self.nodes}
        return History(
            said=self._said(),
            seen=tuple([_seen(node) for node in self.nodes if node.last]),
            links=tuple([_linked(by_id[link.node], link) for link in self.links]),
            groups=tuple([belonging(by_id[one.node], one, Mark(one.first, one.first_source)) for one in self.groups]),
            external_ids=tuple([self._also(by_id[one.node], one) for one in self.external_ids]),
        )

    @cached_property
    def _document(self) -> Document:
        found = decode(self.root.doc) if len(self.nodes) == 1 else whole(decode(node.doc) for node in self.nodes)
        return counted(found, self.additions) if self.additions else found

    def _values(self) -> dict[str, Any]:
        return {name: trait.value for name, trait in self._document.items()}

    def _groups(self) -> Sequence[str]:
        if len(self.groups) < 2:
            return tuple([one.group for one in self.groups if one.joined])
        last = {one.group: one.joined for one in sorted(self.groups, key=lambda one: one.stamp)}
        return tuple(sorted([group for group, joined in last.items() if joined]))

    def _last_said(self) -> str:
        """When its traits were said: a number that was counted holds all up to its message, which is named too."""
        stamps = {trait.stamp for trait in self._document.values()} or {node.last for node in self.nodes}
        last = max(stamps)
        if self.additions:
            names = {one.trait.partition(".")[0] for one in self.additions}
            sums = {trait.stamp for name, trait in self._document.items() if name in names}
            return max(f"{at(last)} ", *sums).rstrip()
        return at(last)

    def _said(self) -> tuple[Said, ...]:
        """Each trait of the id of which it was said; a number that was counted is the user's as a whole."""
        others = {node: decode(node.doc) for node in self.nodes[1:]}
        found: dict[tuple[str, str, Member | None], list[str]] = {}
        for name, trait in self._document.items():
            node = next((one for one, doc in others.items() if doc.get(name) == trait), None) if others else None
            key = (trait.stamp, trait.source, node)
            if key in found:
                found[key].append(name)
            else:
                found[key] = [name]
        return tuple(
            [
                Said(Mark(stamp, source), names, node.kind, node.value) if node else Said(Mark(stamp, source), names)
                for (stamp, source, node), names in found.items()
            ]
        )

    def _also(self, node: Member, one: External) -> Also:
        of = None if node is self.root else (node.kind, node.value)
        return Also(one.type, one.value, Mark(one.stamp, one.source), of)


def belonging(node: Member, one: Joined, first: Mark) -> Belonging:
    by = Mark(one.stamp, one.source)
    return Belonging(node.kind, node.value, one.group, by, first if first.at else None, bool(one.joined))


def _seen(node: Member) -> Seen:
    first, last = Mark(node.first, node.first_source), Mark(node.last, node.last_source)
    return Seen(node.kind, node.value, first, last, bool(node.known))


def _linked(node: Member, link: Linking) -> Linked:
    return Linked(node.kind, node.value, link.user, link.why, link.stamp)
