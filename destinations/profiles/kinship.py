"""Give nodes the roots that follow from their links, and touch as few as possible.

A visitor is nobody's root, so it takes the root of its user, however many others that user has. A user without a link
that gets one takes all of its own along. Only where links change or go round in circles are whole users read.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, update

from destinations.profiles.holding import Holding
from destinations.profiles.joining import roots
from destinations.profiles.node import Node
from destinations.profiles.row import Held
from destinations.profiles.tables import NODES

_MOVE = update(NODES).where(NODES.c.root == bindparam("old")).values(root=bindparam("new"))


def settle(connection: Connection, held: Holding) -> None:
    """Set the roots of the nodes whose links are others than before, and of all that depend on them."""
    moved = [one for one in held.all() if one.link != one.before]
    if not moved:
        return
    held.hold([Node("user_id", link.user) for one in moved if (link := one.link)])
    users = [one for one in moved if one.node.kind == "user_id"]
    tangled = _Moves(connection, held).attach(users)
    if tangled:
        _untangle(held, tangled)
    for one in moved:
        if one.node.kind != "user_id":
            link = one.link
            one.plant(held[Node("user_id", link.user)].root if link else one.id)


class _Moves:
    """Whole users that become part of others."""

    def __init__(self, connection: Connection, held: Holding) -> None:
        self._connection = connection
        self._held = held
        self._to: dict[int, int] = {}

    def attach(self, users: Iterable[Held]) -> Sequence[Held]:
        """Move those for which that is all; the others are given back."""
        tangled = [one for one in users if not self._attached(one)]
        rows = [{"old": old, "new": self._top(old)} for old in self._to]
        if rows:
            self._connection.execute(_MOVE, rows)
        for one in self._held.all():
            if one.root in self._to:
                one.plant(self._top(one.root))
        return tangled

    def _attached(self, user: Held) -> bool:
        link = user.link
        if user.before or link is None:
            return False
        target = self._top(self._held[Node("user_id", link.user)].root)
        if target == user.id:
            return False
        self._to[user.id] = target
        return True

    def _top(self, root: int) -> int:
        while root in self._to:
            root = self._to[root]
        return root


def _untangle(held: Holding, users: Iterable[Held]) -> None:
    """Work all of it out anew, for everybody who may be concerned."""
    links = [link for one in users for link in (one.before, one.link) if link]
    targets = [Node("user_id", link.user) for link in links]
    held.hold(targets)
    met = {held[node].root for node in (*(one.node for one in users), *targets)}
    family = {one.node: one for one in held.below(sorted(met))}
    for node, root in roots({node: one.link for node, one in family.items()}).items():
        family[node].plant(held[root].id)
