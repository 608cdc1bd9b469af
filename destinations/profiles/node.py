"""Name what a profile is made of: the ids under which clients speak of a user, a visitor or a group."""

import hashlib
from typing import Literal, NamedTuple, get_args

Kind = Literal["user_id", "anonymous_id", "group_id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Collection = Literal["users", "accounts"]
"""As Segment's Profile API calls users and groups."""


LONGEST = 1_000
"""Bytes of an id: what is longer fits into no index of PostgreSQL."""
_SURELY_SHORT = LONGEST // 4


class _Node(NamedTuple):
    kind: Kind
    value: str


class Node(_Node):
    """One id, with what was said under it. A user is the node of its id and all nodes that are joined to it."""

    __slots__ = ()

    def __new__(cls, kind: Kind, value: str) -> "Node":
        return tuple.__new__(cls, (kind, storable(value)))

    @property
    def collection(self) -> Collection:
        return "accounts" if self.kind == "group_id" else "users"


def storable(text: str) -> str:
    """A text as every database can keep it: of one that is too long, or has NUL in it, the beginning and a digest."""
    fits = len(text) <= _SURELY_SHORT or len(text.encode()) <= LONGEST
    if fits and "\0" not in text:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    beginning = text[: _SURELY_SHORT - len(digest) - 1].replace("\0", "")
    return f"{beginning}~{digest}"


def stamp_of(timestamp: str, message_id: str) -> str:
    """When something was said, as text that sorts: the later one counts, and of two at once the greater message id.

    `timestamp` is of the one form that normalised messages have (2024-02-29T23:59:59.999Z).
    """
    return f"{timestamp} {storable(message_id)}"


def at(stamp: str) -> str:
    """The time in a stamp."""
    return stamp.partition(" ")[0]


def message_of(stamp: str) -> str:
    """The id of the message in a stamp; "" for one that events have left, which say no more than their hour."""
    return stamp.partition(" ")[2]
