"""Count what a replay would send, before anything is sent."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from worker.config import ARCHIVE, Config
from worker.replay.errors import NoArchive
from worker.replay.manifest import Manifest, freeze, pages
from worker.replay.matching import Matcher
from worker.replay.selection import Selection

Told = Callable[[int, int], None]
"""Hears how many messages were looked at, and how many matched."""


class Plan(msgspec.Struct, frozen=True):
    """What there is to send."""

    manifest: Manifest
    looked_at: int
    matched: int
    size: int
    """In bytes."""
    samples: tuple[tuple[str, bytes], ...]
    """Source and body of the first ones."""


def archive_of(config: Config) -> Path:
    """Where the archive is. Raises NoArchive."""
    table = config.destinations.get(ARCHIVE)
    if table is None or table.type != ARCHIVE or "dir" not in table.settings:
        raise NoArchive("there is no archive in this configuration, and so nothing to replay")
    return Path(table.settings["dir"]).expanduser()


def plan(root: Path, selection: Selection, *, samples: int = 10, told: Told = lambda looked_at, matched: None) -> Plan:
    """Reads all that may match. Raises BadExpression, ArchiveChanged, DamagedArchiveError."""
    matcher = Matcher(selection)
    manifest = freeze(root, selection)
    looked_at = matched = size = 0
    first: list[tuple[str, bytes]] = []
    for page in pages(root, manifest):
        wanted = [body for body in page.bodies if matcher.wants(body)]
        looked_at += len(page.bodies)
        matched += len(wanted)
        size += sum(map(len, wanted))
        first += [(page.source, body) for body in wanted[: max(0, samples - len(first))]]
        told(looked_at, matched)
    return Plan(manifest, looked_at, matched, size, tuple(first))
