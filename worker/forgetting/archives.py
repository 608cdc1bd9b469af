"""Take a person out of all archives that the configuration names, in every file of theirs."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from destinations.archive.erasing import erase as erase_file
from destinations.archive.erasing import leftovers
from destinations.archive.finder import slots
from destinations.archive.index import frames
from destinations.archive.layout import Slot
from destinations.archive.places import positions
from destinations.archive.reader import bodies_of
from worker.config import ARCHIVE, Config
from worker.forgetting.person import Person, Replacing

Place = tuple[int, str, str]
"""partition, line, position"""


def roots(config: Config) -> list[Path]:
    tables = [table for table in config.destinations.values() if table.type == ARCHIVE]
    return sorted({Path(str(table.settings["dir"])).expanduser() for table in tables})


def erase(config: Config, replacing: Replacing, looked: Callable[[int], None]) -> tuple[int, list[Place]]:
    """How many messages, and where they stood. Raises OSError, DamagedArchiveError."""
    number, places = 0, []
    for root in roots(config):
        leftovers(root)
        for slot in slots(root):
            gone = erase_file(root, slot, lambda bodies: _replaced(replacing, bodies))
            number += len(gone)
            places += [place for position in gone if (place := _place(slot, position))]
            looked(1)
    return number, places


def count(config: Config) -> int:
    """How many files there are."""
    return sum(1 for root in roots(config) for _ in slots(root))


def of_person(config: Config, person: Person) -> Iterator[tuple[Slot, str, bytes]]:
    """Every archived message of the person, with its file and its position."""
    replacing = Replacing(person)
    for root in roots(config):
        for slot in slots(root):
            known, _ = frames(slot.index(root).read_bytes())
            for frame in known:
                for position, body in zip(positions(frame), bodies_of(slot.data(root), frame), strict=True):
                    if replacing.concerns(body) and person.owns(body):
                        yield slot, position, body


def _replaced(replacing: Replacing, bodies: Sequence[bytes]) -> list[bytes] | None:
    return replacing.bodies(bodies)


def _place(slot: Slot, position: str) -> Place | None:
    lane, _, _ = slot.lane.partition("~")
    number = lane.removeprefix("p")
    return (int(number), slot.source, position) if position and number.isdigit() else None
