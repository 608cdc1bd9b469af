"""Hold the nodes that a batch of claims has to do with: read from the database, or made."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from destinations.profiles.bulk import Change, Find, Put
from destinations.profiles.node import KINDS, Node
from destinations.profiles.row import CHANGING, Held, blank
from destinations.profiles.tables import NODES

_BY_VALUE = {kind: Find(NODES, "value", kind=kind) for kind in KINDS}
_BY_ID = Find(NODES, "id")
_BY_ROOT = Find(NODES, "root")
_MAKE = Put(NODES)
_CHANGE = Change(NODES, "id", CHANGING)
_MOVE = Change(NODES, "id", ("root",))


class Holding:
    """The nodes, for one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: dict[Node, Held] = {}
        self._next = 0

    def __getitem__(self, node: Node) -> Held:
        return self._held[node]

    def all(self) -> Iterable[Held]:
        return self._held.values()

    def hold(self, nodes: Iterable[Node]) -> None:
        """Have them all, those too that nobody has spoken of before."""
        wanted = [node for node in nodes if node not in self._held]
        for kind in KINDS:
            values = [node.value for node in wanted if node.kind == kind]
            self._keep(_BY_VALUE[kind](self._connection, values))
        for node in wanted:
            if node not in self._held:
                self._held[node] = blank(node, self._number())

    def numbered(self, numbers: Sequence[int]) -> list[Held]:
        """Those with these numbers."""
        return self._keep(_BY_ID(self._connection, numbers))

    def below(self, roots: Sequence[int]) -> list[Held]:
        """All whose root is one of these."""
        self._keep(_BY_ROOT(self._connection, roots))
        wanted = set(roots)
        return [held for held in self._held.values() if held.root in wanted]

    def write(self) -> None:
        """Those that are there without the columns in an index, which cost much and change seldom."""
        changed = [held for held in self._held.values() if held.changed]
        _MAKE(self._connection, [held.row() for held in changed if held.fresh])
        _CHANGE(self._connection, [held.changes() for held in changed if not held.fresh])
        _MOVE(self._connection, [(held.id, held.root) for held in changed if held.moved and not held.fresh])

    def _keep(self, found: Iterable[Any]) -> list[Held]:
        """What is held already may have changed, and stays."""
        return [self._held.setdefault(held.node, held) for held in map(Held, found)]

    def _number(self) -> int:
        """A number that no node has: nobody else gives any meanwhile."""
        if not self._next:
            self._next = self._connection.execute(select(func.max(NODES.c.id))).scalar() or 0
        self._next += 1
        return self._next
