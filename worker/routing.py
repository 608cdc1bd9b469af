"""Which destinations should see a message. Pure."""

from destinations.outcome import Filtered
from schemas.integrations import allows
from schemas.message import Head

BY_INTEGRATIONS = "FILTERED_BY_INTEGRATIONS_OBJECT"


def filtered(head: Head, destination: str, *, storage: bool) -> Filtered | None:
    """Why this message is not for that destination; None when it is. Storage keeps everything (spec, integrations)."""
    if storage or head.integrations is None or allows(head.integrations, destination):
        return None
    return Filtered(BY_INTEGRATIONS)
