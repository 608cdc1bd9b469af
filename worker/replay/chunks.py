"""The messages of a replay, ready to be carried: filtered, marked, and with the partition that keeps their order."""

from collections.abc import Iterator
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


class Chunk(msgspec.Struct, frozen=True):
    """What is carried in one step. It may be empty: then nothing was wanted of what lay before `reached`."""

    messages: list[tuple[str, str, bytes]]
    """Source, cursor and body of each."""
    reached: str


def chunks(root: Path, manifest: Manifest, replay: Replay, most: int) -> Iterator[Chunk]:
    """All that is left after `replay.reached`. Raises ArchiveChanged, DamagedArchiveError."""
    matcher = Matcher(replay.selection)
    waiting: list[tuple[str, str, bytes]] = []
    turned = 0
    for page in pages(root, manifest, replay.reached):
        waiting += _wanted(page, matcher, replay.reached)
        turned += 1
        while len(waiting) >= most:
            yield Chunk(waiting[:most], waiting[most - 1][1])
            del waiting[:most]
            turned = 0
        if turned == MOST_PAGES:
            yield Chunk(waiting, page.cursor_of(len(page.bodies) - 1))
            waiting, turned = [], 0
    if waiting:
        yield Chunk(waiting, waiting[-1][1])


def loads(chunk: Chunk, replay: Replay, partitions: int) -> list[Load]:
    """The same by line and partition."""
    found: dict[tuple[int, str], Load] = {}
    for source, cursor, body in chunk.messages:
        partition = keys.partition_of(source, identity(decode_head(body)), partitions)
        load = found.get((partition, source))
        if load is None:
            load = found[(partition, source)] = Load(partition, Line(source, replay.id, replay.destination), [], [])
        load.bodies.append(marked(body, replay.id))
        load.cursors.append(cursor)
    return list(found.values())


def _wanted(page: Page, matcher: Matcher, reached: str) -> Iterator[tuple[str, str, bytes]]:
    for number, body in enumerate(page.bodies):
        cursor = page.cursor_of(number)
        if cursor > reached and matcher.wants(body):
            yield page.source, cursor, body
