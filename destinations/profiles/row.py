"""Hold one node while claims change it."""

from typing import Any

from destinations.profiles.claims import Claims
from destinations.profiles.document import EMPTY, after, decode, encode, merged, said
from destinations.profiles.joining import NOBODY, Said, Standing, read, written
from destinations.profiles.node import Node


class Held:
    """A row of the nodes. `changed` says whether it has to be written."""

    __slots__ = (
        "_doc", "_first", "_last", "before", "changed", "counted", "erased", "fresh", "id", "known", "node", "root",
        "standing",
    )  # fmt: skip

    def __init__(self, row: tuple[Any, ...], *, fresh: bool = False) -> None:
        number, kind, value, root, standing, doc, first, first_source, last, last_source, known, counted, erased = row
        self.node = Node(kind, value)
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
            doc = encode(merged(decode(self._doc), said(claims.traits, claims.stamp, claims.source)))
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

    def row(self) -> tuple[Any, ...]:
        node, standing = self.node, written(self.standing)
        head = (self.id, node.kind, node.value, self.root, standing, self._doc)
        return (*head, *self._first, *self._last, self.known, self.counted, self.erased)


def blank(node: Node, number: int) -> Held:
    """A node of which nothing is known."""
    return Held((number, node.kind, node.value, number, b"", EMPTY, "", "", "", "", False, False, ""), fresh=True)
