"""The story of a message, as it is told: where it came in, and what became of it at each destination."""

from typing import Any, Literal

import msgspec

from worker.stories.told import Step

State = Literal["delivered", "filtered", "dead", "waiting", "resent", "forgotten", "earlier", "unknown"]
"""`resent`: a dead letter that was changed and sent to another partition, where it is another copy.
`forgotten`: so long ago that the story is no longer kept. `earlier`: it came before the destination did.
`unknown`: nobody knows, which should not be."""


class LetterSeen(msgspec.Struct, frozen=True, rename="camel"):
    """The dead letter of a message."""

    id: int
    state: str
    state_at_ms: int
    reason: str
    code: str
    attempts: int


class Journey(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A message on its way to one destination."""

    destination: str
    state: State
    steps: tuple[Step, ...] = ()
    waits_for: str = ""
    """What has to happen first, in a sentence without its full stop."""
    letter: LetterSeen | None = None
    replay: str = ""
    """The id of the replay that it travelled with; empty for its own journey."""


class Copy(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A message in one line: as it came in, or as it was sent again."""

    source: str
    line: str
    partition: int
    position: str
    found_in: tuple[str, ...]
    message: msgspec.Raw
    received_at: str
    timestamp: str
    type: str
    sent_at: str = ""
    event: str = ""
    user: str = ""
    notes: tuple[dict[str, Any], ...] = ()
    """What had to be decided for the client when the message was normalised."""
    journeys: tuple[Journey, ...] = ()


class Refused(msgspec.Struct, frozen=True, rename="camel"):
    """The same message id as something that could not be accepted."""

    id: int
    source: str
    state: str
    first_at_ms: int
    last_at_ms: int
    times: int
    wrong: str


class Story(msgspec.Struct, frozen=True, rename="camel"):
    message_id: str
    copies: tuple[Copy, ...]
    """In the order in which they came in."""
    refused: tuple[Refused, ...]
    looked_in: tuple[str, ...]
    """Every place, whether or not something was found there."""

    @property
    def known(self) -> bool:
        return bool(self.copies or self.refused)
