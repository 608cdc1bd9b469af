"""What the HTTP edge asks of the log: one call that stores, one that tells of trouble."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from schemas.errors import Violation


class Item(msgspec.Struct, frozen=True, gc=False):
    """An accepted message, as it will be stored."""

    source: str
    message_id: str
    user: str  # whose order the message belongs to: schemas.message.identity_of
    body: bytes


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Something a client sent which Turnout could not accept: kept for a person to look at."""

    source: str
    received_at: str
    kind: Literal["message", "body"]
    path: str  # of the request, without its query
    raw: bytes  # as sent, write keys masked, cut at `quarantine.KEPT_BYTES`
    size: int  # in bytes, before the cut
    violations: tuple[Violation, ...]


class LogUnavailable(Exception):
    """The log has not taken the messages. Clients are told the reason, so it must not hold a secret."""

    def __init__(self, retry_after: int, reason: str = "the log cannot be reached") -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.reason = reason


class LogFull(LogUnavailable):
    """The log is there but has no room."""

    def __init__(self, retry_after: int, reason: str = "the log is full") -> None:
        super().__init__(retry_after, reason)


class LogRefused(LogUnavailable):
    """The log is there, has room, and does not take these messages: it would not take them later either."""


class Spooled(msgspec.Struct, frozen=True, kw_only=True):
    """What waits on this machine for the log."""

    messages: int
    bytes: int
    since: float | None
    """When (seconds since 1970) the oldest of it came; None when nothing waits."""
    reason: str
    """Why messages do not go straight to the log."""


class Store(Protocol):
    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        """Return once both are stored as durably as configured. Raise LogUnavailable or LogFull."""


class Log(Store, Protocol):
    async def trouble(self) -> str | None:
        """Why messages could not be stored now, without secrets; None when they can."""

    def spooled(self) -> Spooled | None:
        """What is kept here for a log that is away or full; None while messages go straight to it."""
