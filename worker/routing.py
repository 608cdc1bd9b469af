"""Which destinations should see a message. Pure."""

from destinations.outcome import Filtered
from schemas.integrations import Disabled, choice
from schemas.message import Head

BY_INTEGRATIONS = "FILTERED_BY_INTEGRATIONS_OBJECT"


def filtered(head: Head, destination: str, *, storage: bool) -> Filtered | None:
    """Why this message is not for that destination; None when it is. Storage keeps everything (spec, integrations)."""
    if storage or head.integrations is None:
        return None
    match choice(head.integrations, destination):
        case Disabled():
            return Filtered(BY_INTEGRATIONS)
        case _:
            return None
