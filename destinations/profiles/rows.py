"""Say what a row of a file claims about a user or a group. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from destinations.profiles.claims import Claims, Link, Membership, promoted_ids
from destinations.profiles.history import History, told
from destinations.profiles.node import Kind, Node
from schemas.dates import moment, stamp, stamped_ms
from schemas.identifiers import decimal_text
from schemas.reserved import GROUP, USER, Shape, settled

Id = str | int | float
LONGEST_ID = 1_000
STORED = len("2024-02-29T23:59:59.999Z")


class BadRow(ValueError):
    """Says where in the row, and what was expected there."""


class UserRow(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A user, or a visitor who has no more than an `anonymous_id`."""

    id: Id = ""
    anonymous_id: Id = ""
    traits: dict[str, Any] = {}
    anonymous_ids: Sequence[Id] = ()
    user_ids: Sequence[Id] = ()
    """Former ids, as `alias` names them."""
    groups: Sequence[Id] = ()
    timestamp: str | int | float | None = None
    history: History | None = None


class GroupRow(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    id: Id = ""
    traits: dict[str, Any] = {}
    members: Sequence[Id] = ()
    """Ids of users."""
    timestamp: str | int | float | None = None
    history: History | None = None


class Terms(NamedTuple):
    """What holds for all rows of a file."""

    source: str
    stamp: str
    """Of a row that says no time."""
    always: bool = False
    """Whether `stamp` counts whatever a row says."""
    promoted: Sequence[str] = ()


def claims_of_user(row: UserRow, terms: Terms) -> list[Claims]:
    """Raises BadRow."""
    user, visitor = id_of(row.id, "id"), id_of(row.anonymous_id, "anonymous_id")
    if bool(user) == bool(visitor):
        raise BadRow("id: expected the id of a user here, or the one of a visitor in anonymous_id, and not both")
    node = Node("user_id", user) if user else Node("anonymous_id", visitor)
    said = stamp_of_row(row.timestamp, terms)
    if row.history is not None and not terms.always:
        return _with_history(node, row.traits, row.history, said, terms, USER)
    links = _links(user, row)
    groups = [Node("group_id", group) for group in ids_of(row.groups, "groups")]
    traits = settled(dict(row.traits), USER, "traits", []) if row.traits else {}
    return [
        Claims(
            stamp=said,
            source=terms.source,
            nodes=(node, *(link.node for link in links), *groups),
            about=node,
            traits=traits,
            known=bool(user),
            links=links,
            memberships=tuple([Membership(node, group.value, joined=True) for group in groups]),
            external_ids=promoted_ids(traits, terms.promoted),
        )
    ]


def claims_of_group(row: GroupRow, terms: Terms) -> list[Claims]:
    """Raises BadRow."""
    group = id_of(row.id, "id")
    if not group:
        raise BadRow("id: expected the id of a group, found none")
    node = Node("group_id", group)
    said = stamp_of_row(row.timestamp, terms)
    if row.history is not None and not terms.always:
        return _with_history(node, row.traits, row.history, said, terms, GROUP)
    members = [Node("user_id", member) for member in ids_of(row.members, "members")]
    return [
        Claims(
            stamp=said,
            source=terms.source,
            nodes=(node, *members),
            about=node,
            traits=settled(dict(row.traits), GROUP, "traits", []) if row.traits else {},
            memberships=tuple([Membership(member, group, joined=True) for member in members]),
        )
    ]


def _links(user: str, row: UserRow) -> tuple[Link, ...]:
    if not (row.anonymous_ids or row.user_ids):
        return ()
    if not user:
        raise BadRow("anonymous_ids, user_ids: expected only with the id of a user")
    visitors = [Link(Node("anonymous_id", one), user, "identify") for one in ids_of(row.anonymous_ids, "anonymous_ids")]
    former = [Link(Node("user_id", one), user, "alias") for one in ids_of(row.user_ids, "user_ids") if one != user]
    return (*visitors, *former)


def _with_history(
    node: Node, traits: dict[str, Any], history: History, said: str, terms: Terms, shape: Shape
) -> list[Claims]:
    """What the history does not name is said by the row itself."""
    found = told(node, traits, history, broken=BadRow)
    named = {name for one in history.said for name in one.traits}
    new = {name: value for name, value in traits.items() if name not in named}
    if new:
        spelled = settled(new, shape, "traits", [])
        ids = promoted_ids(spelled, terms.promoted) if node.kind != "group_id" else ()
        found.append(
            Claims(stamp=said, source=terms.source, nodes=(node,), about=node, traits=spelled, external_ids=ids)
        )
    return found


def stamp_of_row(timestamp: object, terms: Terms) -> str:
    """Without the id of a message: so a message of the very same time counts over it. Raises BadRow."""
    if timestamp is None or timestamp == "" or terms.always:
        return terms.stamp
    if isinstance(timestamp, str) and timestamp[STORED : STORED + 1] == " " and stamped_ms(timestamp[:STORED]):
        return timestamp
    found = moment(timestamp)
    if found is None:
        raise BadRow(f"timestamp: expected a date such as 2024-02-29T12:00:00Z, found {timestamp!r}")
    return f"{stamp(found.ms)} "


def ids_of(values: Sequence[Id], place: str) -> list[str]:
    found = [id_of(value, place) for value in values]
    if not all(found):
        raise BadRow(f"{place}: expected ids, found an empty one")
    return found


def id_of(value: Id, place: str) -> str:
    """Raises BadRow."""
    text = value if value.__class__ is str else decimal_text(value)  # type: ignore[arg-type]  # not a text: a number
    assert isinstance(text, str)
    if len(text) > LONGEST_ID:
        raise BadRow(f"{place}: expected at most {LONGEST_ID} characters, found {len(text)}")
    if "\0" in text:
        raise BadRow(f"{place}: expected text, found a null character")
    return text


def of_kind(kind: Kind) -> type[UserRow] | type[GroupRow]:
    """The shape of the rows about nodes of this kind."""
    return GroupRow if kind == "group_id" else UserRow
