"""Read all users or all groups as rows, as they were at one moment, however many there are."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from destinations.profiles.bulk import Find
from destinations.profiles.document import decode
from destinations.profiles.family import External, Family, Joined, Linking, Member, belonging
from destinations.profiles.history import Belonging, History, Mark
from destinations.profiles.node import Kind, at
from destinations.profiles.profile import Added
from destinations.profiles.rows import GroupRow, UserRow
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS, NODES
from destinations.sql.engine import Database, reading

ROWS = 1_000
"""So many are read at once."""

_LINKS = Find(LINKS, "node")
_EXTERNAL_IDS = Find(EXTERNAL_IDS, "node")
_BY_ROOT = Find(NODES, "root")
_JOINED = (
    select(
        *(MEMBERS.c.node, NODES.c.value, MEMBERS.c.joined, MEMBERS.c.stamp, MEMBERS.c.source),
        *(NODES.c.first, NODES.c.first_source),
    )
    .join(NODES, NODES.c.id == MEMBERS.c.group)
    .order_by(MEMBERS.c.stamp)
)
_ADDED = select(INCREMENTS.c.node, INCREMENTS.c.trait, INCREMENTS.c.stamp, INCREMENTS.c.by)


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A connection to which everything stays as it is now."""
    with reading(database) as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def total(connection: Connection, kinds: Sequence[Kind]) -> int:
    """About how many rows there will be."""
    wanted = select(func.count()).select_from(NODES).where(NODES.c.kind.in_(kinds), NODES.c.root == NODES.c.id)
    return connection.execute(wanted).scalar_one()


def users(connection: Connection, kinds: Sequence[Kind] = ("user_id",)) -> Iterator[UserRow]:
    """Users, and visitors if their kind is among `kinds`; with their history."""
    for families in _chunks(connection, kinds):
        _fill_history(connection, families)
        yield from (family.user(family.history()) for family in families.values() if family.heard_of)


def plain_users(connection: Connection, kinds: Sequence[Kind] = ("user_id",)) -> Iterator[UserRow]:
    """The same without history."""
    for families in _chunks(connection, kinds):
        yield from (family.user(None) for family in families.values() if family.heard_of)


def groups(connection: Connection) -> Iterator[GroupRow]:
    """Without their members."""
    for families in _chunks(connection, ("group_id",)):
        yield from (family.group(family.history()) for family in families.values() if family.heard_of)


def groups_with_members(connection: Connection) -> Iterator[GroupRow]:
    """With the users who belong to each: in rows of their own, for they may be many."""
    for families in _chunks(connection, ("group_id",)):
        for family in families.values():
            if family.heard_of:
                yield family.group(family.history())
                yield from _member_rows(connection, family.root)


def all_traits(connection: Connection, kinds: Sequence[Kind]) -> Iterator[dict[str, Any]]:
    """The traits of every id, to learn which there are."""
    root = NODES.alias()
    wanted = select(NODES.c.doc).join(root, root.c.id == NODES.c.root).where(root.c.kind.in_(kinds))
    for (doc,) in connection.execute(wanted.execution_options(yield_per=ROWS)):
        yield {name: trait.value for name, trait in decode(doc).items()}
    for (trait,) in connection.execute(select(INCREMENTS.c.trait).distinct()):
        yield nested(trait.split("."), 0)


def nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    found: dict[str, Any] = value
    return found


def _chunks(connection: Connection, kinds: Sequence[Kind]) -> Iterator[dict[int, Family]]:
    """By the id that stands for all."""
    for kind in kinds:
        after = ""
        wanted = select(NODES).where(NODES.c.kind == kind, NODES.c.root == NODES.c.id).order_by(NODES.c.value)
        while roots := list(starmap(Member, connection.execute(wanted.where(NODES.c.value > after).limit(ROWS)))):
            after = roots[-1].value
            families = {root.id: Family(root) for root in roots}
            _fill(connection, families)
            yield families


def _fill(connection: Connection, families: dict[int, Family]) -> None:
    """The other ids, the groups, and what was counted."""
    for node in sorted(starmap(Member, _BY_ROOT(connection, list(families)))):
        if node.id != node.root:
            families[node.root].nodes.append(node)
    of = _by_node(families)
    for row in connection.execute(_among(_JOINED, MEMBERS.c.node, of)):
        of[row[0]].groups.append(Joined(*row))
    counting = [number for number, family in of.items() if any(node.counted for node in family.nodes)]
    for number, trait, stamp, by in connection.execute(_among(_ADDED, INCREMENTS.c.node, counting)) if counting else ():
        of[number].additions.append(Added(trait, stamp, by))


def _fill_history(connection: Connection, families: dict[int, Family]) -> None:
    """What was said of who they are."""
    of = _by_node(families)
    for link in starmap(Linking, _LINKS(connection, list(of))):
        of[link.node].links.append(link)
    for one in starmap(External, _EXTERNAL_IDS(connection, list(of))):
        of[one.node].external_ids.append(one)


def _by_node(families: dict[int, Family]) -> dict[int, Family]:
    return {node.id: family for family in families.values() for node in family.nodes}


def _among(wanted: Select[Any], column: ColumnElement[int], numbers: Iterable[int]) -> Select[Any]:
    return wanted.where(column.in_(list(numbers)))


def _member_rows(connection: Connection, group: Member) -> Iterator[GroupRow]:
    """Only of users, not of visitors; some thousand at a time."""
    person = NODES.alias()
    among = select(person.c.id).join(NODES, NODES.c.root == person.c.id).join(MEMBERS, MEMBERS.c.node == NODES.c.id)
    among = among.where(MEMBERS.c.group == group.id, person.c.kind == "user_id").order_by(person.c.id)
    after = 0
    while True:
        page = among.where(person.c.id > after).distinct().limit(ROWS)
        numbers = list(connection.execute(page).scalars())
        if not numbers:
            return
        after = numbers[-1]
        yield _members_among(connection, group, numbers)


def _members_among(connection: Connection, group: Member, numbers: Sequence[int]) -> GroupRow:
    nodes = {node.id: node for node in starmap(Member, _BY_ROOT(connection, numbers))}
    wanted = _among(_JOINED, MEMBERS.c.node, nodes).where(MEMBERS.c.group == group.id)
    joined = [Joined(*row) for row in connection.execute(wanted)]
    last = {nodes[one.node].root: one.joined for one in joined}
    return GroupRow(
        id=group.value,
        members=[nodes[number].value for number in numbers if last[number]],
        timestamp=at(group.last),
        history=History(groups=[_of(nodes[one.node], one) for one in joined]),
    )


def _of(person: Member, one: Joined) -> Belonging:
    return belonging(person, one, Mark(person.first, person.first_source))
