"""List users and groups page by page, and what was said of them and does not hold."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Row, Select, and_, or_, select

from destinations.profiles.claims import Why
from destinations.profiles.node import Kind, Node
from destinations.profiles.reading import number_of
from destinations.profiles.tables import EXTERNAL_IDS, LINKS, MEMBERS, NODES

LAST = "\U0010ffff"
KINDS = ("user_id", "anonymous_id")
_LOOKED_AT = 2_000
"""So many profiles are looked at in one go."""


class _Names(msgspec.Struct, frozen=True, rename={"first_name": "firstName", "last_name": "lastName"}):
    """Of the traits of a node, those that say how it is called; each with when and where that was said."""

    name: tuple[Any, str, str] | None = None
    first_name: tuple[Any, str, str] | None = None
    last_name: tuple[Any, str, str] | None = None
    type: tuple[Any, str, str] | None = None

    def words(self) -> str:
        """The whole name, in lower case."""
        if self.name and isinstance(self.name[0], str) and self.name[0]:
            return self.name[0].lower()
        parts = [part[0] for part in (self.first_name, self.last_name) if part and isinstance(part[0], str)]
        return " ".join(parts).lower()


_names_of = msgspec.json.Decoder(_Names).decode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which users, visitors or groups."""

    kind: Kind = "user_id"
    prefix: str = ""
    """Of the id."""
    email: str | None = None
    name: str | None = None
    """A part of the name, in any case."""
    type: str | None = None
    """Of groups."""
    after: str = ""
    """The last id of the page before."""


class Listed(msgspec.Struct, frozen=True):
    number: int
    id: str


class Refused(msgspec.Struct, frozen=True):
    """A link that does not hold: the id is said to be this user, and is not."""

    type: Kind
    id: str
    user: str
    why: Why
    stamp: str


class Member(msgspec.Struct, frozen=True):
    number: int
    type: Kind
    id: str
    stamp: str
    source: str


def page(connection: Connection, wanted: Wanted, most: int) -> list[Listed]:
    """Those that stand for a whole user or group, by id."""
    found: list[Listed] = []
    for row in _matching(connection, wanted, most):
        found.append(Listed(row.id, row.value))
        if len(found) == most:
            break
    return found


def members(connection: Connection, group: int, most: int, after: str = "") -> list[Member]:
    """Who belongs to a group, by id: each user once, under the id that stands for all of its ids."""
    person = NODES.alias()
    wanted = (
        select(NODES.c.root, person.c.kind, person.c.value, MEMBERS.c.joined, MEMBERS.c.stamp, MEMBERS.c.source)
        .join(NODES, NODES.c.id == MEMBERS.c.node)
        .join(person, person.c.id == NODES.c.root)
        .where(MEMBERS.c.group == group, person.c.value > after)
        .order_by(person.c.value, person.c.kind, MEMBERS.c.stamp)
    )
    latest: dict[int, Member] = {}
    for row in connection.execution_options(stream_results=True).execute(wanted):
        if row.joined and row.root not in latest and len(latest) == most:
            break
        latest.pop(row.root, None)
        if row.joined:
            latest[row.root] = Member(row.root, row.kind, row.value, row.stamp, row.source)
    return list(latest.values())


def member_count(connection: Connection, group: int) -> int:
    """How many users and visitors belong to a group."""
    wanted = (
        select(NODES.c.root, MEMBERS.c.joined)
        .join(NODES, NODES.c.id == MEMBERS.c.node)
        .where(MEMBERS.c.group == group)
        .order_by(MEMBERS.c.stamp)
    )
    last = {row.root: row.joined for row in connection.execute(wanted)}
    return sum(last.values())


def refused(connection: Connection, number: int) -> list[Refused]:
    """What was said about this user's ids, or of others being this user, and does not hold."""
    target = NODES.alias()
    wanted = (
        select(LINKS, NODES.c.kind, NODES.c.value, NODES.c.root, target.c.root.label("target"))
        .join(NODES, NODES.c.id == LINKS.c.node)
        .join(target, and_(target.c.kind == "user_id", target.c.value == LINKS.c.user))
        .where(or_(NODES.c.root == number, target.c.root == number), NODES.c.root != target.c.root)
        # What was joined by hand and is joined otherwise now was decided so: nobody has to look at it.
        .where(LINKS.c.why != "manual")
        .order_by(LINKS.c.stamp)
    )
    return [Refused(row.kind, row.value, row.user, row.why, row.stamp) for row in connection.execute(wanted)]


def _matching(connection: Connection, wanted: Wanted, most: int) -> Iterator[Row[Any]]:
    fits = _fitting(wanted)
    look = max(most, _LOOKED_AT) if fits else most
    after = wanted.after
    while True:
        rows = connection.execute(_some(wanted, after).limit(look)).all()
        yield from (row for row in rows if fits is None or fits(row))
        if len(rows) < look:
            return
        after = rows[-1].value


def _some(wanted: Wanted, after: str) -> Select[Any]:
    found = (
        select(NODES.c.id, NODES.c.value, NODES.c.doc)
        .where(NODES.c.kind == wanted.kind, NODES.c.value > after, NODES.c.root == NODES.c.id, NODES.c.last != "")
        .order_by(NODES.c.value)
    )
    if wanted.prefix:
        found = found.where(NODES.c.value >= wanted.prefix, NODES.c.value < wanted.prefix + LAST)
    if wanted.email is not None:
        ids = select(EXTERNAL_IDS.c.node).where(EXTERNAL_IDS.c.type == "email", EXTERNAL_IDS.c.value == wanted.email)
        found = found.where(NODES.c.id.in_(select(NODES.c.root).where(NODES.c.id.in_(ids))))
    return found


def _fitting(wanted: Wanted) -> Callable[[Row[Any]], bool] | None:
    """What has to be looked up in the traits."""
    if wanted.name is None and wanted.type is None:
        return None
    part = (wanted.name or "").lower()

    def fits(row: Row[Any]) -> bool:
        names = _names_of(row.doc)
        of_type = wanted.type is None or (names.type is not None and names.type[0] == wanted.type)
        return of_type and part in names.words()

    return fits


def node_of(connection: Connection, value: str, kind: str | None) -> Node | None:
    """The user or visitor with this id of this type; where no type is named, of users first."""
    for each in KINDS if kind is None else (kind,):
        number = number_of(connection, each, value)
        if number is None:
            continue
        if each in KINDS:
            return Node(cast(Kind, each), value)
        row = connection.execute(select(NODES.c.kind, NODES.c.value).where(NODES.c.id == number)).one()
        return Node(row.kind, row.value)
    return None
