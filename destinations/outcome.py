"""What became of one message at one destination: a value, not an exception."""

import msgspec


class Delivered(msgspec.Struct, frozen=True):
    """The destination has it."""


class Filtered(msgspec.Struct, frozen=True):
    """The destination should not have it; nothing was sent."""

    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """The destination will never take this message as it is."""

    reason: str
    code: str = ""


class Deferred(msgspec.Struct, frozen=True):
    """Not now.

    `after` is in seconds: None leaves the wait to the worker, 0.0 means that nothing was tried (so there is nothing
    to wait for), more is what the destination itself asked for.
    """

    reason: str
    after: float | None = None


Outcome = Delivered | Filtered | Rejected | Deferred


def is_final(outcome: Outcome) -> bool:
    """Whether later messages of the same user may follow."""
    return not isinstance(outcome, Deferred)
