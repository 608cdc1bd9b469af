"""Read all users or all groups as rows, as they were at one moment, however many there are."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Connection, Row, func, select

from destinations.profiles.document import Document, decode
from destinations.profiles.history import Also, Belonging, History, Linked, Mark, Said, Seen
from destinations.profiles.node import Kind, at, stamp_of
from destinations.profiles.profile import Added, counted, whole
from destinations.profiles.rows import GroupRow, UserRow
from destinations.profiles.tables import EXTERNAL_IDS, INCREMENTS, LINKS, MEMBERS, NODES
from destinations.sql.engine import Database, reading

ROWS = 1_000
MEMBERS_OF_A_ROW = 1_000


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
    """Users, and visitors if their kind is among `kinds`."""
    for family in _families(connection, kinds):
        yield family.user()


def groups(connection: Connection) -> Iterator[GroupRow]:
    for family in _families(connection, ("group_id",)):
        yield family.group()


def groups_with_members(connection: Connection) -> Iterator[GroupRow]:
    """With the users who belong to each: in rows of their own, for they may be many."""
    for family in _families(connection, ("group_id",)):
        yield family.group()
        yield from _member_rows(connection, family.root)


class _Family:
    """The rows of the database about one user or group."""

    def __init__(self, root: Row[Any]) -> None:
        self.root = root
        self.nodes = [root]
        self.links: list[Row[Any]] = []
        self.groups: list[Row[Any]] = []
        self.external_ids: list[Row[Any]] = []
        self.increments: list[Row[Any]] = []

    def user(self) -> UserRow:
        traits, told = self._traits()
        known = self.root.kind == "user_id"
        others = [node for node in self.nodes[1:] if node.last]
        last: dict[str, Any] = {}
        for row in self.groups:
            if row.value not in last or row.stamp > last[row.value].stamp:
                last[row.value] = row
        return UserRow(
            id=self.root.value if known else "",
            anonymous_id="" if known else self.root.value,
            traits=traits,
            anonymous_ids=tuple([node.value for node in others if node.kind == "anonymous_id"]),
            user_ids=tuple([node.value for node in others if node.kind == "user_id"]),
            groups=tuple(sorted([name for name, row in last.items() if row.joined])),
            timestamp=told,
            history=self._history(),
        )

    def group(self) -> GroupRow:
        traits, told = self._traits()
        return GroupRow(id=self.root.value, traits=traits, timestamp=told, history=self._history())

    @cached_property
    def document(self) -> Document:
        found = decode(self.root.doc) if len(self.nodes) == 1 else whole(decode(node.doc) for node in self.nodes)
        if self.increments:
            found = counted(found, [Added(row.trait, row.stamp, row.by) for row in self.increments])
        return found

    def _traits(self) -> tuple[dict[str, Any], str]:
        """The values, and when the last of them was said: a number that was counted holds all up to its message."""
        document = self.document
        names = {row.trait.partition(".")[0] for row in self.increments}
        stamps = [
            trait.stamp if name in names else stamp_of(at(trait.stamp), "") for name, trait in document.items()
        ] or [stamp_of(at(max(node.last for node in self.nodes)), "")]
        return {name: trait.value for name, trait in document.items()}, max(stamps).rstrip()

    def _history(self) -> History:
        by_id = {node.id: node for node in self.nodes}
        return History(
            said=self._said(),
            seen=tuple([_seen(node) for node in self.nodes if node.last]),
            links=tuple([_linked(by_id[row.node], row) for row in self.links]),
            groups=tuple([_belonging(by_id[row.node], row) for row in self.groups]),
            external_ids=tuple([self._also(by_id[row.node], row) for row in self.external_ids]),
        )

    def _said(self) -> tuple[Said, ...]:
        """Each trait of the id of which it was said; a number that was counted is the user's as a whole."""
        documents = {node.id: decode(node.doc) for node in self.nodes[1:]}
        found: dict[tuple[Mark, int], list[str]] = {}
        for name, trait in self.document.items():
            number = next((key for key, one in documents.items() if one.get(name) == trait), self.root.id)
            found.setdefault((Mark(trait.stamp, trait.source), number), []).append(name)
        others = {node.id: node for node in self.nodes[1:]}
        return tuple(
            [
                Said(by, names, others[number].kind, others[number].value) if number in others else Said(by, names)
                for (by, number), names in found.items()
            ]
        )

    def _also(self, node: Row[Any], row: Row[Any]) -> Also:
        of = None if node is self.root else (node.kind, node.value)
        return Also(row.type, row.value, Mark(row.stamp, row.source), of)


def _seen(node: Row[Any]) -> Seen:
    first, last = Mark(node.first, node.first_source), Mark(node.last, node.last_source)
    return Seen(cast(Kind, node.kind), node.value, first, last, node.known)


def _linked(node: Row[Any], row: Row[Any]) -> Linked:
    return Linked(cast(Kind, node.kind), node.value, row.user, row.why, row.stamp)


def _belonging(node: Row[Any], row: Row[Any]) -> Belonging:
    return Belonging(cast(Kind, node.kind), node.value, row.value, Mark(row.stamp, row.source), row.joined)


def _families(connection: Connection, kinds: Sequence[Kind]) -> Iterator[_Family]:
    after = 0
    while True:
        wanted = (
            select(NODES)
            .where(NODES.c.kind.in_(kinds), NODES.c.root == NODES.c.id, NODES.c.id > after)
            .order_by(NODES.c.id)
            .limit(ROWS)
        )
        roots = connection.execute(wanted).all()
        if not roots:
            return
        after = roots[-1].id
        yield from (family for family in _filled(connection, roots) if any(node.last for node in family.nodes))


def _filled(connection: Connection, roots: Sequence[Row[Any]]) -> Iterable[_Family]:
    families = {root.id: _Family(root) for root in roots}
    of = dict(families)
    joined = select(NODES).where(NODES.c.root.in_(list(families)), NODES.c.id != NODES.c.root).order_by(NODES.c.id)
    for node in connection.execute(joined):
        families[node.root].nodes.append(node)
        of[node.id] = families[node.root]
    numbers = list(of)
    belonging = select(MEMBERS, NODES.c.value).join(NODES, NODES.c.id == MEMBERS.c.group)
    for row in connection.execute(belonging.where(MEMBERS.c.node.in_(numbers))):
        of[row.node].groups.append(row)
    for row in connection.execute(select(LINKS).where(LINKS.c.node.in_(numbers))):
        of[row.node].links.append(row)
    for row in connection.execute(select(EXTERNAL_IDS).where(EXTERNAL_IDS.c.node.in_(numbers))):
        of[row.node].external_ids.append(row)
    counting = [node.id for family in families.values() for node in family.nodes if node.counted]
    for row in connection.execute(select(INCREMENTS).where(INCREMENTS.c.node.in_(counting))):
        of[row.node].increments.append(row)
    return families.values()


def _member_rows(connection: Connection, group: Row[Any]) -> Iterator[GroupRow]:
    """Only of users, not of visitors; some thousand at a time."""
    person = NODES.alias()
    belonging = select(person.c.id).join(NODES, NODES.c.root == person.c.id).join(MEMBERS, MEMBERS.c.node == NODES.c.id)
    belonging = belonging.where(MEMBERS.c.group == group.id, person.c.kind == "user_id").order_by(person.c.id)
    after = 0
    while True:
        page = belonging.where(person.c.id > after).distinct().limit(MEMBERS_OF_A_ROW)
        numbers = list(connection.execute(page).scalars())
        if not numbers:
            return
        after = numbers[-1]
        yield from _members_among(connection, group, numbers)


def _members_among(connection: Connection, group: Row[Any], numbers: Sequence[int]) -> Iterator[GroupRow]:
    wanted = (
        select(NODES.c.kind, NODES.c.value, NODES.c.root, MEMBERS)
        .join(MEMBERS, MEMBERS.c.node == NODES.c.id)
        .where(NODES.c.root.in_(numbers), MEMBERS.c.group == group.id)
        .order_by(MEMBERS.c.stamp)
    )
    rows = connection.execute(wanted).all()
    names = {row.id: row.value for row in connection.execute(select(NODES).where(NODES.c.id.in_(numbers)))}
    last = {row.root: row.joined for row in rows}
    told = [Belonging(row.kind, row.value, group.value, Mark(row.stamp, row.source), row.joined) for row in rows]
    yield GroupRow(
        id=group.value,
        members=[names[number] for number in numbers if last[number]],
        timestamp=at(group.last),
        history=History(groups=told),
    )
