"""The messages of a replay, ready to be carried: filtered, marked, and with the partition that keeps their order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from schemas.envelope import decode_head
from schemas.message import identity
from worker import keys
from worker.carrying import Load
from worker.lines import Line
from worker.replay.manifest import Manifest, Page, pages
from worker.replay.marking import marked
from worker.replay.matching import Matcher
from worker.replay.replay import Replay

MOST_PAGES = 200


class Picked(msgspec.Struct, frozen=True):
    """A message that is wanted."""

    source: str
    cursor: str
    body: bytes
    position: str
    """Where it stood in the log when it came in; "" where nobody can tell."""


class Chunk(msgspec.Struct, frozen=True):
    """What is carried in one step. It may be empty: then nothing was wanted of what lay before `reached`."""

    messages: list[Picked]
    reached: str


def chunks(root: Path, manifest: Manifest, replay: Replay, most: int) -> Iterator[Chunk]:
    """All that is left after `replay.reached`. Raises ArchiveChanged, DamagedArchiveError."""
    matcher = Matcher(replay.selection)
    waiting: list[Picked] = []
    turned = 0
    for page in pages(root, manifest, replay.reached):
        waiting += _wanted(page, matcher, replay.reached)
        turned += 1
        while len(waiting) >= most:
            yield Chunk(waiting[:most], waiting[most - 1].cursor)
            del waiting[:most]
            turned = 0
        if turned == MOST_PAGES:
            yield Chunk(waiting, page.cursor_of(len(page.bodies) - 1))
            waiting, turned = [], 0
    if waiting:
        yield Chunk(waiting, waiting[-1].cursor)


def loads(chunk: Chunk, replay: Replay, partitions: int) -> list[Load]:
    """The same by line and partition. What becomes of them is told in the replay's line, at their old positions."""
    found: dict[tuple[int, str], list[Picked]] = {}
    for one in chunk.messages:
        partition = keys.partition_of(one.source, identity(decode_head(one.body)), partitions)
        found.setdefault((partition, one.source), []).append(one)
    return [_load(partition, source, picked, replay) for (partition, source), picked in found.items()]


def _load(partition: int, source: str, picked: Sequence[Picked], replay: Replay) -> Load:
    line = Line(source, replay.id, replay.destination)
    known = all(one.position for one in picked)
    return Load(
        partition,
        line,
        bodies=[marked(one.body, replay.id) for one in picked],
        cursors=[one.cursor for one in picked],
        origin=line.name if known else "",
        origins=[one.position for one in picked] if known else [],
    )


def _wanted(page: Page, matcher: Matcher, reached: str) -> Iterator[Picked]:
    for number, body in enumerate(page.bodies):
        cursor = page.cursor_of(number)
        if cursor > reached and matcher.wants(body):
            yield Picked(page.source, cursor, body, page.positions[number])
