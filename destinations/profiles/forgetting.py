"""Take a user out of the database of profiles for good: every row of every id that is joined to them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, or_, select

from destinations.profiles.claims import Claims
from destinations.profiles.node import Node
from destinations.profiles.store import writing_alone
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS, NODES
from destinations.profiles.writing import Writing
from destinations.sql.engine import Database

AT_ONCE = 500

LAST = "9999-12-31T23:59:59.999Z ~"
"""A stamp beyond all others: clocks of clients may be ahead."""


class Known(msgspec.Struct, frozen=True):
    """The ids of one user."""

    ids: frozenset[str] = frozenset()
    """User ids and the ids of visitors."""
    others: frozenset[str] = frozenset()
    """What the user can be found by beside these."""


def known_of(connection: Connection, user: str) -> Known:
    numbers = list(_nodes(connection, user))
    ids: set[str] = set()
    others: set[str] = set()
    for some in _slices(numbers):
        ids.update(connection.execute(select(NODES.c.value).where(NODES.c.id.in_(some))).scalars())
        others.update(connection.execute(select(EXTERNAL_IDS.c.value).where(EXTERNAL_IDS.c.node.in_(some))).scalars())
    return Known(frozenset(ids), frozenset(others))


def forget(database: Database, user: str) -> int:
    """How many ids; all of them or none. Raises DatabaseAway."""
    with writing_alone(database) as connection:
        nodes = _nodes(connection, user)
        if nodes:
            # Others may have been said to be this user: that is no longer said, and they are who they are without it.
            Writing(connection, [Claims(stamp=LAST, source="", erases=tuple(nodes.values()))]).run()
        for some in _slices(list(nodes)):
            _delete(connection, some)
    return len(nodes)


def _delete(connection: Connection, numbers: Sequence[int]) -> None:
    """What is left without a word in it has the id still."""
    for table in (LINKS, INCREMENTS, EXTERNAL_IDS):
        connection.execute(delete(table).where(table.c.node.in_(numbers)))
    connection.execute(delete(MEMBERS).where(or_(MEMBERS.c.node.in_(numbers), MEMBERS.c.group.in_(numbers))))
    connection.execute(delete(NODES).where(NODES.c.id.in_(numbers)))


def _nodes(connection: Connection, user: str) -> dict[int, Node]:
    """The rows of the whole user by number, whichever of its user ids is asked for."""
    root = select(NODES.c.root).where(NODES.c.kind == "user_id", NODES.c.value == user).scalar_subquery()
    asked = select(NODES.c.id, NODES.c.kind, NODES.c.value).where(NODES.c.root == root).order_by(NODES.c.id)
    return {row.id: Node(row.kind, row.value) for row in connection.execute(asked)}


def _slices(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE)]
