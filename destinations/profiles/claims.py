"""Say what a message claims about users and groups. Pure.

What is kept is a function of the set of all claims: whichever order they come in, and however often.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from destinations.profiles.node import Node, stamp_of, storable
from schemas.message import Alias, Group, Identify, Message, Page, Screen, Track

HOUR = len("2024-02-29T23")

LARGEST = 1e300
"""What is beyond is no number that somebody counts with: sums of such numbers are none that JSON could hold."""
DEEPEST = 64
"""So many names a path has at most: no message goes deeper either."""

Why = Literal["identify", "alias", "manual"]


class Link(NamedTuple):
    """A node is said to be this user; by hand also that it is not, with "" for the user."""

    node: Node
    user: str
    why: Why


class Membership(NamedTuple):
    node: Node
    group: str
    joined: bool


class Increment(NamedTuple):
    """To the number in `trait`, a path of names joined by dots."""

    trait: str
    by: float


class Claims(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one message, or one command of an operator, says."""

    stamp: str
    source: str
    nodes: tuple[Node, ...] = ()
    """Those that it shows to exist: `about` at that moment, others within the hour, so that most messages of somebody
    who was seen before need nothing to be written."""
    about: Node | None = None
    """Whose traits these are."""
    traits: dict[str, Any] = {}
    known: bool = False
    """Whether `about` is called a user by name, and so is nobody else's former id."""
    increments: tuple[Increment, ...] = ()
    links: tuple[Link, ...] = ()
    memberships: tuple[Membership, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()
    """Types and values, of `about`."""
    erases: tuple[Node, ...] = ()
    """What was said of these up to now is to be forgotten, and so is what comes later and was said before."""


def claims_of(message: Message, source: str, promoted: Iterable[str] = ()) -> Claims:
    """`promoted`: the traits that are external ids too."""
    match message:
        case Identify():
            return _identify(message, source, promoted)
        case Group():
            return _group(message, source)
        case Alias():
            return _alias(message, source)
        case Track() | Page() | Screen():
            return _event(message, source)


def within_hour(stamp: str) -> str:
    """The stamp of those who were seen at about that time."""
    return f"{stamp[:HOUR]}:00:00.000Z "


def _identify(message: Identify, source: str, promoted: Iterable[str]) -> Claims:
    nodes = _people(message)
    return Claims(
        stamp=stamp_of(message.timestamp, message.message_id),
        source=source,
        nodes=nodes,
        about=nodes[0],
        traits=message.traits,
        known=bool(message.user_id),
        increments=_increments(message.context),
        links=_of_both_ids(nodes),
        external_ids=promoted_ids(message.traits, promoted),
    )


def _group(message: Group, source: str) -> Claims:
    group, people = Node("group_id", message.group_id), _people(message)
    return Claims(
        stamp=stamp_of(message.timestamp, message.message_id),
        source=source,
        nodes=(group, *people),
        about=group,
        traits=message.traits,
        links=_of_both_ids(people),
        memberships=tuple(Membership(person, message.group_id, joined=True) for person in people[:1]),
    )


def _alias(message: Alias, source: str) -> Claims:
    """The former id may be one of a visitor or of a user: which of them is there, shows when somebody is called so."""
    former = message.previous_id
    nodes = (Node("anonymous_id", former), Node("user_id", former))
    return Claims(
        stamp=stamp_of(message.timestamp, message.message_id),
        source=source,
        nodes=(Node("user_id", message.user_id),),
        links=() if former == message.user_id else tuple(Link(node, message.user_id, "alias") for node in nodes),
    )


def _event(message: Track | Page | Screen, source: str) -> Claims:
    """Somebody was there."""
    return Claims(stamp=within_hour(message.timestamp), source=source, nodes=_people(message)[:1])


def _people(message: Message) -> tuple[Node, ...]:
    """The user, if there is one, and the visitor."""
    found = []
    if message.user_id:
        found.append(Node("user_id", message.user_id))
    if message.anonymous_id:
        found.append(Node("anonymous_id", message.anonymous_id))
    return tuple(found)


def _of_both_ids(people: tuple[Node, ...]) -> tuple[Link, ...]:
    """That the visitor is the user. Events say so too, but so many of them that only these calls are listened to."""
    return tuple(Link(visitor, people[0].value, "identify") for visitor in people[1:])


def _increments(context: dict[str, Any]) -> tuple[Increment, ...]:
    operations = context.get("operations")
    if not operations:
        return ()
    found = [Increment(storable(one["trait"]), one["by"]) for one in operations if one.get("op") == "increment"]
    return tuple(one for one in found if abs(one.by) <= LARGEST and one.trait.count(".") < DEEPEST)


def promoted_ids(traits: dict[str, Any], promoted: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The external ids that stand among these traits."""
    found = [(name, traits.get(name)) for name in promoted]
    return tuple((name, storable(str(value))) for name, value in found if _is_id(value))


def _is_id(value: object) -> bool:
    return bool(value) and isinstance(value, str | int) and not isinstance(value, bool)
