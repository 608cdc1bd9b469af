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


class Log(Protocol):
    async def put(self, items: Sequence[Item], refusals: Sequence[Refusal]) -> None:
        """Return once both are stored as durably as configured. Raise LogUnavailable or LogFull."""

    async def trouble(self) -> str | None:
        """Why the log could not take messages now, without secrets; None when it can."""
