"""What became of one message at one destination: a value, not an exception."""

from typing import Literal

import msgspec


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was said to a destination and what it answered: redacted, each cut at `MOST_SAID` bytes."""

    request: str
    """First line, headers and the beginning of the body."""
    answer: str = ""
    """Status and the beginning of the body; empty when none came."""
    took_ms: int = 0


MOST_SAID = 2_048


class Delivered(msgspec.Struct, frozen=True):
    """The destination has it."""


class Filtered(msgspec.Struct, frozen=True):
    """The destination should not have it; nothing was sent."""

    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """The destination will never take this message as it is."""

    reason: str
    code: str = ""
    exchange: Exchange | None = None


Scope = Literal["message", "destination", "settings", "adapter"]
"""Whom a failure is about. `message`: perhaps only this one. `destination`: any other message would have met the same
now. `settings`: no message gets through until somebody changes the settings (401, 403). `adapter`: its code failed."""


class Deferred(msgspec.Struct, frozen=True):
    """Not now.

    `after` is in seconds: None leaves the wait to the worker, 0.0 means that nothing was tried (so there is nothing
    to wait for), more is what the destination itself asked for.
    """

    reason: str
    after: float | None = None
    scope: Scope = "message"
    exchange: Exchange | None = None

    @property
    def tried(self) -> bool:
        return self.after != 0.0


Outcome = Delivered | Filtered | Rejected | Deferred


def is_final(outcome: Outcome) -> bool:
    """Whether later messages of the same user may follow."""
    return not isinstance(outcome, Deferred)
