"""What one process in the whole cluster has to do, beside deliveries: the duties of the clerk."""

from collections.abc import Callable

import msgspec
import redis
from sqlalchemy import Engine

from worker.config import Config


class Duty(msgspec.Struct, frozen=True):
    """Something to do again and again. May be done twice, or cut off anywhere, without harm."""

    name: str
    every: float
    """Seconds from its end to its next beginning."""
    run: Callable[[], None]


def duties_of(config: Config, client: "redis.Redis", database: Engine) -> list[Duty]:
    """All duties of a cluster; `client` is the log's."""
    return []
