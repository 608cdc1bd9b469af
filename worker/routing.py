"""Which destinations should see a message. Pure."""

from destinations.outcome import Filtered
from schemas.forgotten import FORGOTTEN
from schemas.integrations import allows
from schemas.message import Head

BY_INTEGRATIONS = "FILTERED_BY_INTEGRATIONS_OBJECT"
BY_WISH = Filtered(FORGOTTEN)
"""Its user wished to be forgotten; storage keeps the place that it had."""


def filtered(head: Head, destination: str, *, storage: bool) -> Filtered | None:
    """Why this message is not for that destination; None when it is. Storage keeps everything (spec, integrations)."""
    if head.type == FORGOTTEN:
        return None if storage else BY_WISH
    if storage or head.integrations is None or allows(head.integrations, destination):
        return None
    return Filtered(BY_INTEGRATIONS)
