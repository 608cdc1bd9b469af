"""What stands in the place of a message that was forgotten: its number stays, and nothing else. Pure."""

import msgspec

from schemas.message import Head

FORGOTTEN = "forgotten"
"""The type of such a placeholder. No client can send it."""


class Placeholder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    type: str = FORGOTTEN
    message_id: str
    timestamp: str
    received_at: str
    original_timestamp: str


def placeholder(head: Head, message_id: str) -> bytes:
    """`message_id` must tell nothing of the old one to those who do not know a secret."""
    at = head.received_at
    made = Placeholder(message_id=message_id, timestamp=at, received_at=at, original_timestamp=at)
    return msgspec.json.encode(made)
