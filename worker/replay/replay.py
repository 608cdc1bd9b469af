"""A replay as it is kept, and the states that it goes through. Pure."""

import base64
import secrets
from typing import Literal

import msgspec

from worker.lines import Line
from worker.replay.selection import Selection

State = Literal["planned", "running", "paused", "cancelled", "done", "failed"]

RUNNING: tuple[State, ...] = ("running",)
RESUMABLE: tuple[State, ...] = ("planned", "running", "paused", "failed")
"""`running` too: who ran it may have been killed. Two at once do no harm, they carry the same messages once."""


class Replay(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Messages on their way to a destination once more."""

    id: str
    state: State = "planned"
    destination: str
    selection: Selection
    matched: int
    size: int
    """In bytes."""
    sent: int = 0
    """How many are in their lines, or were."""
    rate: float = 0.0
    """Messages a second; 0: as fast as the destination takes them."""
    reached: str = ""
    """The cursor up to which all messages are in their lines."""
    reason: str = ""
    """Why it failed."""
    created_at: int = 0
    updated_at: int = 0

    @property
    def resumable(self) -> bool:
        return self.state in RESUMABLE

    def lines(self, partitions: int) -> list[tuple[int, Line]]:
        """Every line that its messages may travel in, with its partition."""
        named = [Line(source, self.id, self.destination) for source in self.selection.sources]
        return [(partition, line) for partition in range(partitions) for line in named]


def new_id() -> str:
    """`r` and five characters of base32."""
    return "r" + base64.b32encode(secrets.token_bytes(4)).decode()[:5].lower()
