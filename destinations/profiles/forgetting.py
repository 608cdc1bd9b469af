"""Take a user out of the database of profiles for good: every row of every id that is joined to them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, or_, select

from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS, NODES

AT_ONCE = 500


class Known(msgspec.Struct, frozen=True):
    """The ids of one user."""

    ids: frozenset[str] = frozenset()
    """User ids and the ids of visitors."""
    others: frozenset[str] = frozenset()
    """What the user can be found by beside these."""


def known_of(connection: Connection, user: str) -> Known:
    numbers = _numbers(connection, user)
    if not numbers:
        return Known()
    values = connection.execute(select(NODES.c.value).where(NODES.c.id.in_(numbers))).scalars()
    others = connection.execute(select(EXTERNAL_IDS.c.value).where(EXTERNAL_IDS.c.node.in_(numbers))).scalars()
    return Known(frozenset(values), frozenset(others))


def erase(connection: Connection, user: str) -> int:
    """How many rows; in the caller's transaction."""
    numbers = _numbers(connection, user)
    gone = 0
    for start in range(0, len(numbers), AT_ONCE):
        gone += _erase(connection, numbers[start : start + AT_ONCE])
    return gone


def _erase(connection: Connection, numbers: Sequence[int]) -> int:
    names = list(connection.execute(select(NODES.c.value).where(NODES.c.id.in_(numbers))).scalars())
    gone = connection.execute(delete(LINKS).where(or_(LINKS.c.node.in_(numbers), LINKS.c.user.in_(names)))).rowcount
    for table in (INCREMENTS, MEMBERS, EXTERNAL_IDS):
        gone += connection.execute(delete(table).where(table.c.node.in_(numbers))).rowcount
    return gone + connection.execute(delete(NODES).where(NODES.c.id.in_(numbers))).rowcount


def _numbers(connection: Connection, user: str) -> list[int]:
    """The rows of the whole user, whichever of its user ids is asked for."""
    root = select(NODES.c.root).where(NODES.c.kind == "user_id", NODES.c.value == user).scalar_subquery()
    return sorted(connection.execute(select(NODES.c.id).where(NODES.c.root == root)).scalars())
