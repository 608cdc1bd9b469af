"""Delete what was said of nodes that are to be forgotten, before anything new is said of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select

from destinations.profiles.bulk import Find
from destinations.profiles.claims import Claims
from destinations.profiles.holding import Holding
from destinations.profiles.joining import NOBODY, Said
from destinations.profiles.row import Held
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS

_LINKS_OF = Find(LINKS, "node")


def erase(connection: Connection, held: Holding, batch: Iterable[Claims]) -> None:
    """What the claims of the batch erase; others name them too, as whom links lead to."""
    gone: dict[int, Held] = {}
    for claims in batch:
        for node in claims.erases:
            held[node].erase(claims.stamp)
            gone[held[node].id] = held[node]
    if not gone:
        return
    for one in gone.values():
        _delete(connection, one)
    pointing = [number for one in gone.values() for number in _pointing(connection, one)]
    _unsay(connection, [*gone.values(), *held.numbered(pointing)])


def _delete(connection: Connection, gone: Held) -> None:
    for table in (LINKS, INCREMENTS, MEMBERS, EXTERNAL_IDS):
        connection.execute(delete(table).where(table.c.node == gone.id, table.c.stamp <= gone.erased))
    connection.execute(delete(MEMBERS).where(MEMBERS.c.group == gone.id, MEMBERS.c.stamp <= gone.erased))


def _pointing(connection: Connection, gone: Held) -> Sequence[int]:
    """The nodes of which it was said that they are this user: that is forgotten too."""
    if gone.node.kind != "user_id":
        return ()
    old = (LINKS.c.user == gone.node.value, LINKS.c.stamp <= gone.erased)
    found = connection.execute(select(LINKS.c.node).where(*old)).scalars().all()
    connection.execute(delete(LINKS).where(*old))
    return found


def _unsay(connection: Connection, nodes: Iterable[Held]) -> None:
    """What is left of the links says who they are."""
    standings = {one.id: NOBODY for one in nodes}
    for number, user, why, stamp in _LINKS_OF(connection, list(standings)):
        standings[number] = standings[number].hearing(Said(user, why, stamp))
    for one in nodes:
        one.unsay(standings[one.id])
