"""Decide which ids are one user. Pure.

The first link of a node holds, whichever comes in first: a visitor who was one user stays that user. Nobody who was
ever called a user by name becomes another user, unless an operator says so; of what operators say the last counts.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from destinations.profiles.claims import Why
from destinations.profiles.node import Node


class Said(NamedTuple):
    """That a node is the user with this id; by hand, "" takes back what was said by hand before."""

    user: str
    why: Why
    stamp: str

    @property
    def rank(self) -> tuple[bool, str, str]:
        """Of those that messages bring the lowest holds, of those said by hand the highest."""
        return self.why != "manual", self.stamp, self.user


class Member(NamedTuple):
    """A node, whether it is called a user by name, and what was said of who it is."""

    node: Node
    known: bool
    said: Sequence[Said]

    def link(self) -> Said | None:
        """The one that would hold, were there no circles."""
        decided = max((one for one in self.said if one.why == "manual"), key=lambda one: one.rank, default=None)
        if decided and decided.user:
            return decided
        allowed = [one for one in self.said if one.why != "manual" and not self.known]
        return min(allowed, key=lambda one: one.rank, default=None)


def roots(members: Mapping[Node, Member]) -> dict[Node, Node]:
    """The node that stands for the user, for each. A link out of `members` is followed no further."""
    links = {node: link for node, member in members.items() if (link := member.link())}
    found: dict[Node, Node] = {}
    for node in members:
        _follow(node, links, found)
    return found


def _follow(start: Node, links: Mapping[Node, Said], found: dict[Node, Node]) -> None:
    way: list[Node] = []
    node = start
    while node not in found and node not in way and node in links:
        way.append(node)
        node = Node("user_id", links[node].user)
    if node in way:  # a circle: its last link does not hold
        circle = way[way.index(node) :]
        node = max(circle, key=lambda one: (links[one].rank, one))
    root = found.get(node, node)
    found.update(dict.fromkeys([start, *way], root))
