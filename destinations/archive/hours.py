"""List the files of the archive hour by hour."""

import os
from collections.abc import Iterator
from pathlib import Path

from destinations.archive.layout import HOUR, LANE, NAME, Slot


def hours(root: Path, since: str, until: str, *, oldest_first: bool = False) -> Iterator[tuple[str, list[Slot]]]:
    """Each hour from `since` to `until` (such as "2024-02-29T23") that has files, of all sources, with these."""
    sources = [name for name in _names(root) if NAME.fullmatch(name)]
    by_day: dict[str, list[str]] = {}
    for source in sources:
        for day in _names(root / source):
            if since[:10] <= day <= until[:10]:
                by_day.setdefault(day, []).append(source)
    for day in sorted(by_day, reverse=not oldest_first):
        by_hour: dict[str, list[str]] = {}
        for source in by_day[day]:
            for name in _names(root / source / day):
                by_hour.setdefault(f"{day}T{name}", []).append(source)
        for hour in sorted(by_hour, reverse=not oldest_first):
            if HOUR.fullmatch(hour) and since <= hour <= until:
                yield hour, [slot for source in by_hour[hour] for slot in _slots(root, source, hour)]


def _slots(root: Path, source: str, hour: str) -> Iterator[Slot]:
    for name in _names(root / source / hour[:10] / hour[11:]):
        lane, _, end = name.rpartition(".")
        if end == "index" and LANE.fullmatch(lane):
            yield Slot(source, hour, lane)


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
