"""Messages about users and groups, and what the database says of them afterwards."""

from typing import Any

from sqlalchemy import Engine

from destinations.profiles.claims import Claims, Link, Membership, promoted_ids
from destinations.profiles.node import Kind, Node
from destinations.profiles.profile import Profile
from destinations.profiles.reading import groups_of, number_of, profile_of
from destinations.profiles.store import apply
from destinations.sql.engine import reading

NOW = 1_709_251_200_000
"""2024-03-01T00:00:00.000Z: after what the messages below say, unless they say when."""
EARLIER = "2024-02-01T12:00:00.000Z m-1"
AHEAD = "2024-06-01T00:00:00.000Z m-2"


def identified(user: str, traits: dict[str, Any], stamp: str = EARLIER, visitor: str = "") -> Claims:
    node = Node("user_id", user)
    links = (Link(Node("anonymous_id", visitor), user, "identify"),) if visitor else ()
    return Claims(
        stamp=stamp,
        source="web",
        nodes=(node, *(link.node for link in links)),
        about=node,
        traits=traits,
        known=True,
        links=links,
        external_ids=promoted_ids(traits, ["email"]),
    )


def grouped(group: str, traits: dict[str, Any], user: str = "", stamp: str = EARLIER) -> Claims:
    node, people = Node("group_id", group), (Node("user_id", user),) if user else ()
    memberships = tuple(Membership(person, group, joined=True) for person in people)
    return Claims(stamp=stamp, source="web", nodes=(node, *people), about=node, traits=traits, memberships=memberships)


def found(database: Engine, value: str, kind: Kind = "user_id") -> Profile | None:
    with reading(database) as connection:
        number = number_of(connection, kind, value)
        return None if number is None else profile_of(connection, number)


def traits(database: Engine, value: str, kind: Kind = "user_id") -> dict[str, Any]:
    profile = found(database, value, kind)
    assert profile is not None
    return profile.values()


def groups(database: Engine, user: str, kind: Kind = "user_id") -> list[str]:
    profile = found(database, user, kind)
    assert profile is not None
    with reading(database) as connection:
        return [one.id for one in groups_of(connection, profile.number)]


def say(database: Engine, *claims: Claims) -> None:
    apply(database, claims)
