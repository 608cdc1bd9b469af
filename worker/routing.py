"""Which destinations should see a message. Pure."""

from destinations.outcome import Filtered
from schemas.forgotten import FORGOTTEN
from schemas.integrations import allows
from schemas.message import Head

BY_INTEGRATIONS = "FILTERED_BY_INTEGRATIONS_OBJECT"
BY_WISH = Filtered(FORGOTTEN)
"""Its user wished to be forgotten; the archive keeps the place that it had."""


def filtered(head: Head, destination: str, *, storage: bool, places: bool = False) -> Filtered | None:
    """Why this message is not for that destination; None when it is. Storage keeps everything (spec, integrations).

    `places`: it keeps the places of messages that were forgotten.
    """
    if head.type == FORGOTTEN:
        return None if places else BY_WISH
    if storage or head.integrations is None or allows(head.integrations, destination):
        return None
    return Filtered(BY_INTEGRATIONS)
