"""Read everything that is known of users and groups, as those see it who ask."""

from typing import Any

from sqlalchemy import Engine, select

from destinations.profiles.node import KINDS, Node
from destinations.profiles.reading import groups_of, profile_of
from destinations.profiles.tables import LINKS, METADATA, NODES
from destinations.sql.engine import reading, writing


def everything(database: Engine) -> dict[Node, dict[str, Any]]:
    """Every user and group by its own node."""
    with reading(database) as connection:
        rows = connection.execute(select(NODES).where(NODES.c.id == NODES.c.root)).all()
        links = connection.execute(select(LINKS)).all()
        nodes = {row.id: row for row in connection.execute(select(NODES))}
        users = {row.value: row.root for row in nodes.values() if row.kind == "user_id"}
        found = {}
        for row in rows:
            profile = profile_of(connection, row.id)
            found[Node(row.kind, row.value)] = {
                "ids": sorted(Node(one.type, one.id) for one in profile.ids if one.type in KINDS),
                "external": sorted((one.type, one.id) for one in profile.ids if one.type not in KINDS),
                "traits": profile.values(),
                "groups": [one.id for one in groups_of(connection, row.id)],
                "first": profile.first,
                "last": profile.last,
                "refused": sorted(
                    (nodes[link.node].kind, nodes[link.node].value, link.user, link.why)
                    for link in links
                    if link.why != "manual"
                    and nodes[link.node].root != users[link.user]
                    and row.id in (nodes[link.node].root, users[link.user])
                ),
            }
    return found


def clear(database: Engine) -> None:
    with writing(database) as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
