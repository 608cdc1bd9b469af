"""Read what somebody did from the archives, page by page."""

import re
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from destinations.archive.layout import Slot
from destinations.archive.people import Mention
from destinations.archive.recent import Page, Search, Stand
from destinations.profiles.node import Node
from schemas.dates import stamp
from worker import keys
from worker.config import Config
from worker.stories.archives import archive_of

HORIZON_MS = 14 * 86_400_000
"""How far back is looked when nobody says."""

_SHORTENED = re.compile(r".*~[0-9a-f]{32}", re.DOTALL)
"""A node's value that may stand for another one, as `destinations.profiles.node.storable` makes it."""

_LANE = re.compile(r"p(\d+)(?:~.*)?")


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Whose messages, and which of them."""

    roots: tuple[str, ...]
    """The directories of the archives."""
    partitions: int
    nodes: tuple[Node, ...] = ()
    """All ids of a user, or the one of a group."""
    types: tuple[str, ...] = ()
    """Types of message; all when empty."""
    include: tuple[str, ...] = ()
    """Names of events, pages and screens; all when empty."""
    exclude: tuple[str, ...] = ()
    oldest_first: bool = False


def page(sought: Sought, stand: Stand, limit: int, seconds: float) -> Page:
    """Up to `limit` messages, in about so many seconds. DamagedArchiveError when a file is not what it should be."""
    return _search(sought).page(stand, limit, time.monotonic() + seconds)


def beginning(now_ms: int, since: str | None = None, until: str | None = None) -> Stand:
    """Where to begin: at what was received last."""
    return Stand(since or stamp(now_ms - HORIZON_MS), until or stamp(now_ms + 1))


def roots_of(config: Config) -> tuple[str, ...]:
    """The archives that can be read here."""
    found = [archive_of(config, source) for source in sorted(config.sources)]
    return tuple(dict.fromkeys(str(root) for root in found if root is not None))


def _search(sought: Sought) -> Search:
    people = [node for node in sought.nodes if node.kind != "group_id"]
    return Search(
        roots=tuple(Path(root) for root in sought.roots),
        nodes=frozenset(sought.nodes),
        wanted=_wanted(sought, frozenset(people)),
        narrow=lambda slots: narrowed(slots, people, sought.partitions) if people else slots,
        oldest_first=sought.oldest_first,
    )


def _wanted(sought: Sought, people: frozenset[Node]) -> Callable[[Mention], bool]:
    """Of a user: what that user did. Of a group: whatever names it."""

    def wanted(mention: Mention) -> bool:
        said = mention.spoken
        return (
            (not people or said.speaker() in people)
            and (not sought.types or said.type in sought.types)
            and (not sought.include or said.called in sought.include)
            and said.called not in sought.exclude
        )

    return wanted


def narrowed(slots: Sequence[Slot], people: Sequence[Node], partitions: int) -> list[Slot]:
    """The files of an hour in which the messages of these users may lie. Pure.

    The partition follows the id as it was sent, which is not known of one that was too long to be kept.

    The number of partitions may have been another one then. Where the last partition of today's number has a file and
    none is beyond it, it was the same; elsewhere little came in, or all has to be looked at.
    """
    if any(_SHORTENED.fullmatch(node.value) for node in people):
        return list(slots)
    found: list[Slot] = []
    for source, group in groupby(slots, lambda slot: slot.source):
        here = list(group)
        if max(_partition(slot) for slot in here) == partitions - 1:
            wanted = {keys.partition_of(source, node.value, partitions) for node in people}
            here = [slot for slot in here if _partition(slot) in wanted]
        found += here
    return found


def _partition(slot: Slot) -> int:
    """Past all of them where the lane is called otherwise."""
    match = _LANE.fullmatch(slot.lane)
    return int(match[1]) if match else 1 << 30
