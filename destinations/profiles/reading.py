"""Look users and groups up in the database."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, select

from destinations.profiles.document import decode
from destinations.profiles.node import KINDS, Kind, Node, storable
from destinations.profiles.profile import Added, ExternalId, Profile, counted, in_order, whole
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, MEMBERS, NODES


class Joined(msgspec.Struct, frozen=True):
    """A membership: the profile at its other end, and when it was last confirmed."""

    number: int
    id: str
    stamp: str
    source: str
    kind: Kind = "group_id"
    first: tuple[str, str] = ("", "")
    """Stamp and source of what was said first of that profile's own id."""


def number_of(connection: Connection, id_type: str, value: str) -> int | None:
    """The user or group that has this id of any type; of several that share one, the one that had it first."""
    value = storable(value)
    if id_type in KINDS:
        wanted = select(NODES.c.root).where(NODES.c.kind == id_type, NODES.c.value == value, NODES.c.last != "")
    else:
        wanted = (
            select(NODES.c.root)
            .join(EXTERNAL_IDS, EXTERNAL_IDS.c.node == NODES.c.id)
            .where(EXTERNAL_IDS.c.type == id_type, EXTERNAL_IDS.c.value == value)
            .order_by(EXTERNAL_IDS.c.stamp, NODES.c.id)
            .limit(1)
        )
    found: int | None = connection.execute(wanted).scalar()
    return found


def profile_of(connection: Connection, number: int) -> Profile:
    """The profile with this key, which `number_of` gave."""
    return profiles_of(connection, [number])[0]


def profiles_of(connection: Connection, numbers: Sequence[int]) -> list[Profile]:
    """The profiles with these keys, in this order."""
    rows: dict[int, list[Any]] = {number: [] for number in numbers}
    for row in connection.execute(select(NODES).where(NODES.c.root.in_(numbers)).order_by(NODES.c.id)):
        rows[row.root].append(row)
    nodes = {row.id: row.root for found in rows.values() for row in found}
    additions = _additions(connection, {row.id: row.root for found in rows.values() for row in found if row.counted})
    promoted = _promoted(connection, nodes)
    return [
        _profile(number, found, additions.get(number, ()), promoted.get(number, ())) for number, found in rows.items()
    ]


def _profile(number: int, found: Sequence[Any], added: Sequence[Added], promoted: Sequence[ExternalId]) -> Profile:
    rows = sorted(found, key=lambda row: row.id != number)
    heard = [row for row in rows if row.last]
    ids = [
        ExternalId(row.kind, row.value, row.first, row.first_source) for row in rows if row in heard or row is rows[0]
    ]
    return Profile(
        number=number,
        collection=Node(cast(Kind, rows[0].kind), rows[0].value).collection,
        traits=counted(whole(decode(row.doc) for row in rows), added),
        ids=(ids[0], *in_order([*ids[1:], *promoted])),
        first=min(((row.first, row.first_source) for row in heard), default=("", "")),
        last=max(((row.last, row.last_source) for row in heard), default=("", "")),
    )


def groups_of(connection: Connection, number: int) -> list[Joined]:
    """The groups of a user, by id. Of what several of its ids say of one group, the last counts."""
    wanted = (
        select(MEMBERS, NODES.c.id, NODES.c.value, NODES.c.first, NODES.c.first_source)
        .join(NODES, NODES.c.id == MEMBERS.c.group)
        .where(MEMBERS.c.node.in_(select(NODES.c.id).where(NODES.c.root == number)))
    )
    latest: dict[str, Any] = {}
    for row in connection.execute(wanted):
        if row.value not in latest or _said(row) > _said(latest[row.value]):
            latest[row.value] = row
    found = [
        Joined(row.id, row.value, row.stamp, row.source, "group_id", (row.first, row.first_source))
        for row in latest.values()
        if row.joined
    ]
    return sorted(found, key=lambda one: one.id)


def _said(row: Any) -> tuple[str, bool, str]:
    """Of several memberships in one group the greatest counts: what was said last."""
    return row.stamp, row.joined, row.source


def members_of(connection: Connection, group: int, most: int, after: int = 0) -> tuple[list[Joined], int | None]:
    """Some members of a group, each once, and after which node there may be more; None at the end.

    In the order in which their ids were met: what a page costs does not depend on how many members there are.
    """
    found: list[Joined] = []
    while True:
        nodes = _members(connection, group, after, most)
        for node, one in _standing(connection, group, nodes):
            if len(found) == most:
                return found, after
            found += one
            after = node
        if len(nodes) < most:
            return found, None


def _members(connection: Connection, group: int, after: int, most: int) -> list[int]:
    wanted = select(MEMBERS.c.node).where(MEMBERS.c.group == group, MEMBERS.c.node > after)
    return list(connection.execute(wanted.order_by(MEMBERS.c.node).limit(most)).scalars())


def _standing(connection: Connection, group: int, nodes: Sequence[int]) -> list[tuple[int, list[Joined]]]:
    """For each node the user that it stands for in this group: the first of a user's nodes does, if it is a member."""
    roots = select(NODES.c.root).where(NODES.c.id.in_(nodes))
    root = NODES.alias()
    wanted = (
        select(MEMBERS, root.c.id, root.c.kind, root.c.value, root.c.first, root.c.first_source)
        .join(NODES, NODES.c.id == MEMBERS.c.node)
        .join(root, root.c.id == NODES.c.root)
        .where(MEMBERS.c.group == group, NODES.c.root.in_(roots))
    )
    by_user: dict[int, list[Any]] = {}
    for row in connection.execute(wanted):
        by_user.setdefault(row.id, []).append(row)
    standing: dict[int, list[Joined]] = {}
    for rows in by_user.values():
        last = max(rows, key=_said)
        member = Joined(last.id, last.value, last.stamp, last.source, last.kind, (last.first, last.first_source))
        standing[min(row.node for row in rows)] = [member] if last.joined else []
    return [(node, standing.get(node, [])) for node in nodes]


def _additions(connection: Connection, nodes: Mapping[int, int]) -> dict[int, list[Added]]:
    """By profile."""
    found: dict[int, list[Added]] = {}
    if nodes:
        for row in connection.execute(select(INCREMENTS).where(INCREMENTS.c.node.in_(nodes))):
            found.setdefault(nodes[row.node], []).append(Added(row.trait, row.stamp, row.by))
    return found


def _promoted(connection: Connection, nodes: Mapping[int, int]) -> dict[int, list[ExternalId]]:
    """By profile."""
    wanted = select(EXTERNAL_IDS).where(EXTERNAL_IDS.c.node.in_(nodes)).order_by(EXTERNAL_IDS.c.stamp)
    found: dict[int, list[ExternalId]] = {}
    for row in connection.execute(wanted):
        found.setdefault(nodes[row.node], []).append(ExternalId(row.type, row.value, row.stamp, row.source))
    return found
