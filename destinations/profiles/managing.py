"""Change users and groups by hand: what an operator says counts over all that was said before."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from destinations.profiles.claims import Claims, Link, Membership, promoted_ids
from destinations.profiles.errors import AlreadyThere, NotThere
from destinations.profiles.node import Node, at, stamp_of
from destinations.profiles.profile import Profile
from destinations.profiles.reading import number_of, profile_of
from destinations.profiles.store import apply
from destinations.profiles.tables import LINKS, MEMBERS, NODES
from destinations.sql.engine import Database, reading
from schemas.dates import LATEST, stamp, stamped_ms
from schemas.reserved import GROUP, USER, settled

OPERATOR = "operator"
"""The source of what is said by hand."""


class Decision(NamedTuple):
    """That a node is this user; "" where that was taken back."""

    node: Node
    user: str
    stamp: str


def create_group(database: Database, group: str, traits: Mapping[str, Any], *, now_ms: int) -> None:
    """Raises AlreadyThere."""
    node = Node("group_id", group)
    with reading(database) as connection:
        if number_of(connection, *node) is not None:
            raise AlreadyThere(node)
        said = [_erased(connection, node)]
    apply(database, [_claims(said, now_ms, nodes=(node,), about=node, traits=_spelled(node, traits))])


def edit(
    database: Database, node: Node, traits: Mapping[str, Any], *, now_ms: int, promoted: Iterable[str] = ()
) -> None:
    """Set these traits of a user or a group, each as a whole; None clears one. Raises NotThere.

    `promoted`: the traits by which users can be found too.
    """
    with reading(database) as connection:
        profile = _profile(connection, node)
    about, spelled = _own(profile), _spelled(node, traits)
    said = [profile.traits[name].stamp for name in spelled if name in profile.traits]
    ids = promoted_ids(spelled, promoted) if about.kind != "group_id" else ()
    apply(database, [_claims(said, now_ms, nodes=(about,), about=about, traits=spelled, external_ids=ids)])


def delete_group(database: Database, group: str, *, now_ms: int) -> int:
    """Forget it, and who belonged to it: how many ids did. A message about it makes it anew. Raises NotThere."""
    node = Node("group_id", group)
    with reading(database) as connection:
        number = _profile(connection, node).number
        rows = connection.execute(select(MEMBERS.c.stamp, MEMBERS.c.joined).where(MEMBERS.c.group == number)).all()
        last = connection.execute(select(NODES.c.last).where(NODES.c.id == number)).scalar_one()
    apply(database, [_claims([last, *(row.stamp for row in rows)], now_ms, erases=(node,))])
    return sum(row.joined for row in rows)


def add_members(database: Database, group: str, people: Sequence[Node], *, now_ms: int) -> None:
    """All of them or none. Raises NotThere."""
    _change_members(database, group, people, joined=True, now_ms=now_ms)


def remove_members(database: Database, group: str, people: Sequence[Node], *, now_ms: int) -> None:
    """All of them or none. Raises NotThere."""
    _change_members(database, group, people, joined=False, now_ms=now_ms)


def join(database: Database, former: Node, user: str, *, now_ms: int) -> bool:
    """From now on the one is the other, with all its ids, whatever messages say: False if it was. Raises NotThere."""
    target = Node("user_id", user)
    with reading(database) as connection:
        _all_there(connection, [former, target])
        root = _own(_profile(connection, former))
        if root == _own(_profile(connection, target)):
            return False
        said = [each.stamp for each in _decided(connection, [root])]
    apply(database, [_claims(said, now_ms, nodes=(root, target), links=(Link(root, user, "manual"),))])
    return True


def split(database: Database, node: Node, *, now_ms: int) -> bool:
    """Take back what was joined by hand to or as this id: False if nothing was. Raises NotThere."""
    with reading(database) as connection:
        profile = _profile(connection, node)
        own = [Node(row.kind, row.value) for row in connection.execute(_ids(profile.number))]
        decided = [one for one in _decided(connection, own if node == _own(profile) else [node]) if one.user]
    if not decided:
        return False
    links = tuple(Link(one.node, "", "manual") for one in decided)
    apply(database, [_claims([one.stamp for one in decided], now_ms, links=links)])
    return True


def _change_members(database: Database, group: str, people: Sequence[Node], *, joined: bool, now_ms: int) -> None:
    node = Node("group_id", group)
    with reading(database) as connection:
        _all_there(connection, [node, *people])
        profiles = [_profile(connection, person) for person in people]
        number = _profile(connection, node).number
        said = [_erased(connection, node), *_said_of_members(connection, number, [one.number for one in profiles])]
    own = tuple(_own(profile) for profile in profiles)
    memberships = tuple(Membership(person, group, joined) for person in own)
    apply(database, [_claims(said, now_ms, nodes=(node, *own), memberships=memberships)])


def _said_of_members(connection: Connection, group: int, users: Sequence[int]) -> list[str]:
    ids = select(NODES.c.id).where(NODES.c.root.in_(users))
    wanted = select(MEMBERS.c.stamp).where(MEMBERS.c.group == group, MEMBERS.c.node.in_(ids))
    return list(connection.execute(wanted).scalars())


def _decided(connection: Connection, nodes: Iterable[Node]) -> list[Decision]:
    """What was decided by hand last about who each of these is."""
    found = []
    for node in nodes:
        wanted = (
            select(LINKS.c.user, LINKS.c.stamp)
            .join(NODES, NODES.c.id == LINKS.c.node)
            .where(NODES.c.kind == node.kind, NODES.c.value == node.value, LINKS.c.why == "manual")
            .order_by(LINKS.c.stamp.desc())
            .limit(1)
        )
        found += [Decision(node, row.user, row.stamp) for row in connection.execute(wanted)]
    return found


def _all_there(connection: Connection, nodes: Iterable[Node]) -> None:
    missing = [node for node in nodes if number_of(connection, *node) is None]
    if missing:
        raise NotThere(*missing)


def _profile(connection: Connection, node: Node) -> Profile:
    number = number_of(connection, *node)
    if number is None:
        raise NotThere(node)
    return profile_of(connection, number)


def _own(profile: Profile) -> Node:
    """The node that stands for the whole user, or the group."""
    first = profile.ids[0]
    return Node(first.type, first.id)  # type: ignore[arg-type]  # the first is its own id, never a promoted one


def _ids(number: int) -> Any:
    return select(NODES.c.kind, NODES.c.value).where(NODES.c.root == number)


def _erased(connection: Connection, node: Node) -> str:
    wanted = select(NODES.c.erased).where(NODES.c.kind == node.kind, NODES.c.value == node.value)
    return connection.execute(wanted).scalar() or ""


def _spelled(node: Node, traits: Mapping[str, Any]) -> dict[str, Any]:
    """As the collector would spell them."""
    return settled(dict(traits), GROUP if node.kind == "group_id" else USER, "traits", [])


def _claims(said: Iterable[str], now_ms: int, **claims: Any) -> Claims:
    return Claims(stamp=ruling(now_ms, said), source=OPERATOR, **claims)


def ruling(now_ms: int, said: Iterable[str]) -> str:
    """A stamp of now, yet later than all of these: the clock of a client may have been ahead."""
    latest = max(said, default="")
    ahead = (stamped_ms(at(latest)) or 0) + 1 if latest else 0
    if ahead > LATEST:
        return f"{latest}~"
    return stamp_of(stamp(max(now_ms, ahead)), f"{OPERATOR}-{uuid.uuid4()}")
