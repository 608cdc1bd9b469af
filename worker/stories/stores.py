"""The stores that together know what became of every message."""

from collections.abc import Callable

import msgspec
import redis
from sqlalchemy import Engine

from worker.config import Config
from worker.letters.moving import move_known_letters
from worker.refusals.moving import move_known_refusals
from worker.stories.moving import move_stories


class Stores(msgspec.Struct, frozen=True):
    client: "redis.Redis"
    """The log."""
    engine: Engine
    config: Config
    move: Callable[[], object]
    """Brings what still lies in the log, passages, dead letters and refusals, into the database."""


def stores_of(client: "redis.Redis", engine: Engine, config: Config) -> Stores:
    def move() -> None:
        move_stories(client, engine, config)
        move_known_letters(client, engine, config)
        move_known_refusals(client, engine, config)

    return Stores(client, engine, config, move)
