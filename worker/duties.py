"""What one process in the whole cluster has to do, beside deliveries: the duties of the clerk."""

from collections.abc import Callable

import msgspec
import redis
from sqlalchemy import Engine

from worker.canary import send_canaries
from worker.config import Config
from worker.stories.keeping import forget
from worker.stories.moving import move_stories

MOVE_EVERY = 5.0
FORGET_EVERY = 600.0


class Duty(msgspec.Struct, frozen=True):
    """Something to do again and again. May be done twice, or cut off anywhere, without harm."""

    name: str
    every: float
    """Seconds from its end to its next beginning."""
    run: Callable[[], None]


def duties_of(config: Config, client: "redis.Redis", database: Engine) -> list[Duty]:
    """All duties of a cluster; `client` is the log's."""
    return [
        Duty("canary", config.alarms.canary, lambda: send_canaries(client, config)),
        Duty("stories", MOVE_EVERY, lambda: _move_stories(config, client, database)),
        Duty("old stories", FORGET_EVERY, lambda: _forget(config, database)),
    ]


def _move_stories(config: Config, client: "redis.Redis", database: Engine) -> None:
    move_stories(client, database, config)


def _forget(config: Config, database: Engine) -> None:
    forget(database, config)
