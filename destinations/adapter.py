"""What the worker sees of a destination, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Literal, TypeVar

import msgspec

from destinations.forgetting import Erasure, Subject, Unsupported
from destinations.outcome import Outcome
from schemas.envelope import Envelope

S = TypeVar("S", bound=msgspec.Struct)

Order = Literal["line", "user", "none"]
"""What must not overtake what. `line`: nothing in a line, so all of it waits for one that fails; for destinations that
count on rising positions. `user`: no message one of the same user. `none`: order does not matter."""


class Destination(ABC, Generic[S]):
    """One configured destination.

    A subclass names the struct of its settings in `shape` and carries batches out in `deliver`. Making one touches
    neither network nor disk: that begins with the first `deliver` or `check`.
    """

    shape: type[S]
    storage: ClassVar[bool] = False  # True: stores whatever comes, whatever `integrations` says
    places: ClassVar[bool] = False  # True: gets what stands in the place of messages that were forgotten, too
    batch_messages: int = 500  # how many messages the worker hands over at most in one call
    order: Order = "user"  # as configured; a class that says "line" keeps that

    def __init__(self, name: str, settings: S) -> None:
        self.name = name
        self.settings = settings

    @abstractmethod
    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        """One outcome for each envelope, in the same order, by `deadline` (of `time.monotonic()`).

        One thread calls at a time.
        """

    def check(self) -> str | None:
        """Try the connection without delivering anything: None when it is fine, else the trouble in words."""
        return None

    def forget(self, subject: Subject, deadline: float) -> Erasure:
        """Delete what the destination has of this user, by `deadline`. Asked again, it does the same again."""
        return Unsupported()

    def close(self) -> None:
        """Let go of connections and threads; nothing is called afterwards."""
        return
