"""Remember who is known to have been there within the hour, so that most events need nothing to be written."""

from collections.abc import Iterable
from typing import NamedTuple

from destinations.profiles.claims import HOUR, Claims, within_hour
from destinations.profiles.node import Kind, Node
from schemas.message import Head

EVENTS = frozenset({"track", "page", "screen"})
MOST = 65_536
"""So many are remembered; whoever was forgotten is written down again."""


class Sighting(NamedTuple):
    """All that an event claims."""

    kind: Kind
    value: str
    hour: str
    source: str

    def claims(self) -> Claims:
        return Claims(stamp=within_hour(self.hour), source=self.source, nodes=(Node(self.kind, self.value),))


def sighting(head: Head, source: str) -> Sighting:
    """Of the user, or else the visitor."""
    if head.user_id:
        return Sighting("user_id", head.user_id, head.timestamp[:HOUR], source)
    return Sighting("anonymous_id", head.anonymous_id or "", head.timestamp[:HOUR], source)


class Sightings:
    """Those that are in the database, as far as they are remembered."""

    def __init__(self) -> None:
        self._known: set[Sighting] = set()

    def new(self, found: set[Sighting]) -> set[Sighting]:
        return found - self._known

    def written(self, found: Iterable[Sighting]) -> None:
        if len(self._known) > MOST:
            self._known.clear()
        self._known.update(found)
