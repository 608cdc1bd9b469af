"""What a destination is told of a user who is to be forgotten, and what it can answer."""

import msgspec


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The user, as destinations know them."""

    user_id: str
    others: tuple[str, ...] = ()
    """Other ids of the same user: former ones, and those of visitors."""
    at: str
    """When it was asked for, as messages write it."""


class Erased(msgspec.Struct, frozen=True, tag="done"):
    """The destination has deleted the user, or has promised to."""


class Unsupported(msgspec.Struct, frozen=True, tag="not supported"):
    """It cannot be asked to."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It was asked, in vain."""

    reason: str


Erasure = Erased | Unsupported | Failed
