"""Hold one node while claims change it."""

from typing import Any

from sqlalchemy import Row

from destinations.profiles.claims import Claims
from destinations.profiles.document import EMPTY, Document, after, decode, encode, merged, said
from destinations.profiles.node import Node

COLUMNS = ("id", "root", "doc", "first", "first_source", "last", "last_source", "known", "counted", "erased")


class Held:
    """A row of the nodes. `changed` says whether it has to be written."""

    def __init__(self, node: Node, found: Row[Any]) -> None:
        self.node = node
        self.id: int = found.id
        self.root: int = found.root
        self.known: bool = found.known
        self.counted: bool = found.counted
        self.erased: str = found.erased
        self._doc: Document = decode(found.doc)
        self._first = (found.first, found.first_source)
        self._last = (found.last, found.last_source)
        self.changed = False

    def see(self, claims: Claims) -> None:
        """It was named."""
        if claims.stamp <= self.erased:
            return
        now = (claims.stamp, claims.source)
        if not self._first[0] or now < self._first:
            self._first, self.changed = now, True
        if now > self._last:
            self._last, self.changed = now, True

    def say(self, claims: Claims) -> None:
        """Something was said about it."""
        if claims.stamp <= self.erased:
            return
        doc = merged(self._doc, said(claims.traits, claims.stamp, claims.source))
        known, counted = self.known or claims.known, self.counted or bool(claims.increments)
        self.changed |= (doc, known, counted) != (self._doc, self.known, self.counted)
        self._doc, self.known, self.counted = doc, known, counted

    def erase(self, stamp: str) -> None:
        """Forget what was said until then."""
        if stamp <= self.erased:
            return
        self.erased, self.changed = stamp, True
        self._doc = after(self._doc, stamp)
        if self._last[0] <= stamp:
            self._first = self._last = ("", "")
            self.known = self.counted = False

    def values(self) -> dict[str, Any]:
        first, last = self._first, self._last
        return {
            "node_id": self.id,
            "root": self.root,
            "doc": encode(self._doc),
            "first": first[0],
            "first_source": first[1],
            "last": last[0],
            "last_source": last[1],
            "known": self.known,
            "counted": self.counted,
            "erased": self.erased,
        }


def blank(node: Node) -> dict[str, Any]:
    """The row of a node of which nothing is known; its root is still to be set."""
    texts = dict.fromkeys(("first", "first_source", "last", "last_source", "erased"), "")
    return {"kind": node.kind, "value": node.value, "root": 0, "doc": EMPTY, "known": False, "counted": False, **texts}
