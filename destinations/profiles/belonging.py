"""Look up, for many users at once, which groups each of them is in."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from destinations.profiles.membership import Standing, Standings
from destinations.profiles.node import Node
from destinations.profiles.store import open_profiles
from destinations.profiles.tables import MEMBERS, NODES
from destinations.sql.engine import reading
from destinations.sql.url import DatabaseUrl

AT_ONCE = 500
"""So many names stand in one question."""

MOST = 200
"""Groups of one person; those that were named last."""

_ASKED, _SAME, _GROUP = NODES.alias("asked"), NODES.alias("same"), NODES.alias("groups")
_EVERY = (
    select(_ASKED.c.kind, _ASKED.c.value, _GROUP.c.value.label("group"), MEMBERS.c.joined, MEMBERS.c.stamp)
    .add_columns(func.row_number().over(partition_by=_ASKED.c.id, order_by=MEMBERS.c.stamp.desc()).label("place"))
    .join(_SAME, _SAME.c.root == _ASKED.c.root)
    .join(MEMBERS, MEMBERS.c.node == _SAME.c.id)
    .join(_GROUP, _GROUP.c.id == MEMBERS.c.group)
)


def standings(connection: Connection, people: Collection[Node]) -> Mapping[Node, Standings]:
    """Of each person, whatever ids it goes by, the groups that it is in or has left. Who is in none is left out.

    Of what several ids of one person say of a group, the last counts.
    """
    found: dict[Node, dict[str, Standing]] = {}
    for row in _rows(connection, people):
        known = found.setdefault(Node(row.kind, row.value), {})
        standing = Standing(row.stamp, row.joined)
        known[row.group] = max(known.get(row.group, standing), standing)
    return found


def _rows(connection: Connection, people: Collection[Node]) -> Iterator[Row[Any]]:
    """Asked for one kind after the other: SQLite finds pairs of kind and value by no index."""
    for kind in sorted({person.kind for person in people}):
        values = [person.value for person in people if person.kind == kind]
        for start in range(0, len(values), AT_ONCE):
            some = _ASKED.c.value.in_(values[start : start + AT_ONCE])
            every = _EVERY.where(_ASKED.c.kind == kind, some).subquery()
            yield from connection.execute(select(every).where(every.c.place <= MOST))


class Groups:
    """An open database, for those who ask often."""

    def __init__(self, url: DatabaseUrl) -> None:
        """Raises DatabaseAway."""
        self._database = open_profiles(url)

    def of(self, people: Collection[Node]) -> Mapping[Node, Standings]:
        """Raises DatabaseAway."""
        with reading(self._database) as connection:
            return standings(connection, people)

    def close(self) -> None:
        self._database.dispose()
