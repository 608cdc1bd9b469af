"""Decide which ids are one user. Pure.

The first link of a node holds, whichever comes in first: a visitor who was one user stays that user. Nobody who was
ever called a user by name becomes another user, unless an operator says so; of what operators say the last counts.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from destinations.profiles.claims import Why
from destinations.profiles.node import Node


class Said(NamedTuple):
    """That a node is the user with this id; by hand, "" takes back what was said by hand before."""

    user: str
    why: Why
    stamp: str

    @property
    def rank(self) -> tuple[bool, str, str, str]:
        """Of those that messages bring the lowest holds, of those said by hand the highest."""
        return self.why != "manual", self.stamp, self.user, self.why


class Standing(NamedTuple):
    """Of all that was said about who a node is, what matters: the first by messages, and the last by hand."""

    first: Said | None = None
    decided: Said | None = None

    def hearing(self, said: Said) -> "Standing":
        if said.why == "manual":
            return self if self.decided and self.decided.rank >= said.rank else self._replace(decided=said)
        return self if self.first and self.first.rank <= said.rank else self._replace(first=said)

    def covers(self, said: Said) -> bool:
        """Whether this was heard before."""
        known = self.decided if said.why == "manual" else self.first
        if known is None or (known.user, known.why) != (said.user, said.why):
            return False
        return known.stamp >= said.stamp if said.why == "manual" else known.stamp <= said.stamp

    def link(self, *, known: bool) -> Said | None:
        """What would hold, were there no circles. `known`: it was called a user by name."""
        if self.decided and self.decided.user:
            return self.decided
        return None if known else self.first


NOBODY = Standing()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Standing).decode


def written(standing: Standing) -> bytes:
    return b"" if standing == NOBODY else _encode(standing)


def read(text: bytes) -> Standing:
    return _decode(text) if text else NOBODY


def roots(links: Mapping[Node, Said | None]) -> dict[Node, Node]:
    """The node that stands for the user, for each. A link out of `links` is followed no further."""
    going = {node: link for node, link in links.items() if link}
    found: dict[Node, Node] = {}
    for node in links:
        _follow(node, going, found)
    return found


def _follow(start: Node, links: Mapping[Node, Said], found: dict[Node, Node]) -> None:
    way: dict[Node, None] = {}
    node = start
    while node not in found and node not in way and node in links:
        way[node] = None
        node = Node("user_id", links[node].user)
    if node in way:  # a circle: its last link does not hold
        nodes = list(way)
        circle = nodes[nodes.index(node) :]
        node = max(circle, key=lambda one: (links[one].rank, one))
    root = found.get(node, node)
    found.update(dict.fromkeys([start, *way], root))
