"""Look users and groups up in the database."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, select

from destinations.profiles.document import decode
from destinations.profiles.node import Kind, Node, storable
from destinations.profiles.profile import Added, ExternalId, Profile, counted, whole
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, MEMBERS, NODES

KINDS = ("user_id", "anonymous_id", "group_id")


class Joined(msgspec.Struct, frozen=True):
    """A membership: the profile at its other end, and when it was last confirmed."""

    number: int
    id: str
    stamp: str
    source: str


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
    rows = connection.execute(select(NODES).where(NODES.c.root == number).order_by(NODES.c.id)).all()
    rows = sorted(rows, key=lambda row: row.id != number)
    numbers = [row.id for row in rows]
    traits = whole(decode(row.doc) for row in rows)
    if any(row.counted for row in rows):
        traits = counted(traits, _additions(connection, numbers))
    heard = [row for row in rows if row.last]
    ids = [
        ExternalId(row.kind, row.value, row.first, row.first_source) for row in rows if row in heard or row is rows[0]
    ]
    return Profile(
        number=number,
        collection=Node(cast(Kind, rows[0].kind), rows[0].value).collection,
        traits=traits,
        ids=(*ids, *_promoted(connection, numbers)),
        first=min(((row.first, row.first_source) for row in heard), default=("", "")),
        last=max(((row.last, row.last_source) for row in heard), default=("", "")),
    )


def groups_of(connection: Connection, number: int) -> list[Joined]:
    """The groups of a user, by id. Of what several of its ids say of one group, the last counts."""
    wanted = (
        select(MEMBERS, NODES.c.id, NODES.c.value)
        .join(NODES, NODES.c.id == MEMBERS.c.group)
        .where(MEMBERS.c.node.in_(select(NODES.c.id).where(NODES.c.root == number)))
    )
    latest: dict[str, Any] = {}
    for row in connection.execute(wanted):
        if row.value not in latest or row.stamp > latest[row.value].stamp:
            latest[row.value] = row
    found = [Joined(row.id, row.value, row.stamp, row.source) for row in latest.values() if row.joined]
    return sorted(found, key=lambda one: one.id)


def _additions(connection: Connection, numbers: Sequence[int]) -> list[Added]:
    rows = connection.execute(select(INCREMENTS).where(INCREMENTS.c.node.in_(numbers)))
    return [Added(row.trait, row.stamp, row.by) for row in rows]


def _promoted(connection: Connection, numbers: Sequence[int]) -> list[ExternalId]:
    rows = connection.execute(
        select(EXTERNAL_IDS).where(EXTERNAL_IDS.c.node.in_(numbers)).order_by(EXTERNAL_IDS.c.stamp)
    )
    return [ExternalId(row.type, row.value, row.stamp, row.source) for row in rows]
