"""Hold one stored message on its way to a destination."""

from typing import Any

import msgspec

from schemas.message import Head, Message, decode_head, decode_message
from schemas.readers.reader import Reader

__all__ = ["Envelope", "Head", "decode_head"]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a destination gets for each message."""

    source: str
    body: bytes
    """The normalised message as JSON, exactly as stored; it never contains a line break."""
    head: Head
    lane: str
    """Messages of one lane and source come in rising order of `position`."""
    position: str
    """Where the message stands in its lane, the same at every redelivery."""
    attempt: int = 1
    replay: str = ""
    """The id of the replay that it is part of; empty for what travels for the first time."""

    def open(self) -> Message:
        return decode_message(self.body)

    def json(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body, type=dict[str, Any])

    def reader(self) -> Reader:
        """A view of the message that gives what vendors' mappings need."""
        return Reader(self.json())
