"""The names of the streams that a source's messages travel in. Pure.

Live messages travel in the line that is called like their source. What travels a second time has a line of its own,
for one destination only: `web~retry~hook` (dead letters sent again), `web~catchup~hook` (read back from the archive
after a long outage), `web~r5f3a~hook` (the replay r5f3a). `~` is in no name of a source or destination.
"""

from functools import lru_cache

import msgspec

RETRY = "retry"
CATCHUP = "catchup"


class Line(msgspec.Struct, frozen=True):
    """`way` is "" for live messages, RETRY, CATCHUP, or the id of a replay."""

    source: str
    way: str = ""
    destination: str = ""
    """The only one it leads to; "" for live messages, which go to all destinations of their source."""

    @property
    def name(self) -> str:
        return f"{self.source}~{self.way}~{self.destination}" if self.way else self.source

    @property
    def replay(self) -> str | None:
        """The id of the replay that its messages are part of."""
        return self.way if self.way not in ("", RETRY, CATCHUP) else None

    @property
    def counted_under(self) -> str:
        """Whose accounts its messages are in: a replay has its own, the others those of their source."""
        return self.name if self.replay else self.source


@lru_cache(maxsize=4_096)
def line_of(name: str) -> Line:
    source, _, rest = name.partition("~")
    way, _, destination = rest.partition("~")
    return Line(source, way, destination)
