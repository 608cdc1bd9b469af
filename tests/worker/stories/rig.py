"""Passages as a commit writes them, and a database to move them into."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import redis
from sqlalchemy import Engine, select

from destinations.sql.engine import reading
from tests.worker import rig
from worker import keys
from worker.config import Config
from worker.database.story_tables import PASSAGES
from worker.story import Part, Passage


def at(number: int, index: int = 0) -> str:
    """A position: the entry of a second, and the number in it."""
    return f"{1_700_000_000_000 + number * 1000}-0/{index}"


def delivered(first: str, last: str, *, at_ms: int = 1_000, line: str = "web", destination: str = "hook") -> Passage:
    return passage(Part("delivered"), first=first, last=last, at_ms=at_ms, line=line, destination=destination)


def passage(
    *parts: Part, first: str = "", last: str = "", at_ms: int = 1_000, line: str = "web", destination: str = "hook"
) -> Passage:
    return Passage(
        line=line, destination=destination, at_ms=at_ms, parts=parts, first=first, last=last, took_ms=5, owner="w1"
    )


def tell(client: "redis.Redis", *passages: Passage, partition: int = 0) -> None:
    for one in passages:
        client.xadd(keys.story(partition), {"s": msgspec.json.encode(one)})


def config(tmp_path: Path, *destinations: str, partitions: int = 1) -> Config:
    return msgspec.structs.replace(rig.config(*(destinations or ("hook",)), partitions=partitions), data=tmp_path)


def kept(engine: Engine) -> Sequence[Any]:
    """The rows of the stories, the oldest first."""
    with reading(engine) as connection:
        return connection.execute(select(PASSAGES).order_by(PASSAGES.c.id)).all()
