"""Tell when a message happened, without a clock."""

from typing import Any

from schemas.dates import Moment
from schemas.readers.values import date_of


def happened(message: dict[str, Any]) -> Moment | None:
    """The first of its times that can be read; a stored message always has `timestamp`."""
    for name in ("timestamp", "originalTimestamp", "receivedAt"):
        found = date_of(message.get(name))
        if found is not None:
            return found
    return None
