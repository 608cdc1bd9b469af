"""Hold one node while claims change it."""

from collections.abc import Sequence
from typing import Any

from destinations.profiles.claims import Claims
from destinations.profiles.document import EMPTY, after, decode, encode, merged, said
from destinations.profiles.joining import NOBODY, Said, Standing, read, written
from destinations.profiles.node import Node

CHANGING = ("standing", "doc", "first", "first_source", "last", "last_source", "known", "counted", "erased")


class Held:
    """A row of the nodes. `changed` says whether it has to be written."""

    __slots__ = (
        "_doc", "_first", "_last", "before", "changed", "counted", "erased", "fresh", "id", "known", "moved", "node",
        "root", "standing",
    )  # fmt: skip

    def __init__(self, row: Sequence[Any], *, fresh: bool = False) -> None:
        number, kind, value, root, standing, doc, first, first_source, last, last_source, known, counted, erased = row
        self.node: Node = tuple.__new__(Node, (kind, value))  # what was stored is storable
        self.id: int = number
        self.root: int = root
        self.standing = read(standing)
        self.known = bool(known)
        self.counted = bool(counted)
        self.erased: str = erased
        self._doc: bytes = doc
        self._first = (first, first_source)
        self._last = (last, last_source)
        self.before = self.link
        self.changed = self.fresh = fresh
        self.moved = False

    @property
    def link(self) -> Said | None:
        """What would hold, were there no circles."""
        return None if self.standing is NOBODY else self.standing.link(known=self.known)

    def see(self, stamp: str, source: str) -> None:
        """It was named."""
        if stamp <= self.erased:
            return
        now = (stamp, source)
        if now > self._last:
            self._last, self.changed = now, True
            self._first = self._first if self._first[0] else (self.erased, "") if self.erased else now
        if now < self._first:
            self._first, self.changed = now, True

    def say(self, claims: Claims) -> None:
        """Something was said about it."""
        if claims.stamp <= self.erased:
            return
        if claims.traits:
            new = said(claims.traits, claims.stamp, claims.source)
            doc = encode(new if self._doc == EMPTY else merged(decode(self._doc), new))
            self.changed |= doc != self._doc
            self._doc = doc
        if (claims.known and not self.known) or (claims.increments and not self.counted):
            self.known, self.counted = self.known or claims.known, self.counted or bool(claims.increments)
            self.changed = True

    def hear(self, said: Said) -> None:
        """It was said to be some user."""
        standing = self.standing.hearing(said)
        if standing is not self.standing:
            self.standing, self.changed = standing, True

    def erase(self, stamp: str) -> None:
        """Forget what was said until then."""
        if stamp <= self.erased:
            return
        self.erased, self.changed = stamp, True
        self._doc = encode(after(decode(self._doc), stamp))
        if self._last[0] <= stamp:
            self._first = self._last = ("", "")
            self.known = self.counted = False
        else:
            self._first = (stamp, "")

    def unsay(self, standing: Standing) -> None:
        """What was said of who it is counts no more, but for this."""
        if standing != self.standing:
            self.standing, self.changed = standing, True

    def plant(self, root: int) -> None:
        """Make it part of another."""
        if root != self.root:
            self.root, self.moved, self.changed = root, True, True

    def row(self) -> tuple[Any, ...]:
        node, (number, *rest) = self.node, self.changes()
        return (number, node.kind, node.value, self.root, *rest)

    def changes(self) -> tuple[Any, ...]:
        """Its number, and the columns CHANGING."""
        standing = written(self.standing)
        return (self.id, standing, self._doc, *self._first, *self._last, self.known, self.counted, self.erased)


def blank(node: Node, number: int) -> Held:
    """A node of which nothing is known."""
    return Held((number, node.kind, node.value, number, b"", EMPTY, "", "", "", "", False, False, ""), fresh=True)
