"""Which published versions of the browser's library are served, and in which directory each lies.

Only the standard library is imported here and in `fetch`: a build of the wheel uses both before anything is installed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

NAME = "@segment/analytics-next"


class Pin(NamedTuple):
    """A version, and what its tarball must hash to."""

    version: str
    integrity: str


PINS = (
    Pin(
        "1.84.3",
        "sha512-5l7cPBzScxhfJ0zdcKQI4daDvMIWWUk7hClT1xGRelnHUltIEoQ9w8+ZpFPoWJMpX8D7IA1nVAfJbpiKi3XaKw==",
    ),
)
"""The first is served. Later ones are earlier versions: pages that began with them may still ask for their chunks."""

SCRIPT = "standalone.js"
LICENCE = "LICENSE.MD"
CHUNK = re.compile(r"[\w-]{1,60}\.bundle\.[0-9a-f]{8,40}\.js", re.ASCII)
PACKED = ".gz"
"""Each script has a twin of this ending, packed by whoever published it."""

BESIDE = Path(__file__).parent / "published"
"""Where a wheel carries it, and where `make setup` puts it."""


def within(data: Path) -> Path:
    """Where it lies when the code is in a place that nobody may write to."""
    return data / "browser"


def places(data: Path) -> tuple[Path, ...]:
    """Where to look for it."""
    return BESIDE, within(data)


def wanted(name: str) -> bool:
    """Whether a file of the package is of use here."""
    plain = name.removesuffix(PACKED)
    return name == LICENCE or plain == SCRIPT or CHUNK.fullmatch(plain) is not None


def present(places: Iterable[Path], pins: Sequence[Pin] = PINS) -> Iterator[tuple[Pin, Path]]:
    """The versions that are there, in the order of the pins, each with its directory."""
    roots = list(places)
    for pin in pins:
        found = next((root / pin.version for root in roots if (root / pin.version / SCRIPT).is_file()), None)
        if found is not None:
            yield pin, found
