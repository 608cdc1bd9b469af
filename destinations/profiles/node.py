"""Name what a profile is made of: the ids under which clients speak of a user, a visitor or a group."""

from typing import Literal, NamedTuple, get_args

Kind = Literal["user_id", "anonymous_id", "group_id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Collection = Literal["users", "accounts"]
"""As Segment's Profile API calls users and groups."""


class Node(NamedTuple):
    """One id, with what was said under it. A user is the node of its id and all nodes that are joined to it."""

    kind: Kind
    value: str

    @property
    def collection(self) -> Collection:
        return "accounts" if self.kind == "group_id" else "users"


def stamp_of(timestamp: str, message_id: str) -> str:
    """When something was said, as text that sorts: the later one counts, and of two at once the greater message id.

    `timestamp` is of the one form that normalised messages have (2024-02-29T23:59:59.999Z).
    """
    return f"{timestamp} {message_id}"


def at(stamp: str) -> str:
    """The time in a stamp."""
    return stamp.partition(" ")[0]


def message_of(stamp: str) -> str:
    """The id of the message in a stamp; "" for one that events have left, which say no more than their hour."""
    return stamp.partition(" ")[2]
