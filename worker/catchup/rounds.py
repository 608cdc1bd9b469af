"""What the clerk does so that a destination that is out neither fills the log nor misses anything."""

import redis

from worker.breaker import breaker_of
from worker.catchup.detaching import relieve
from worker.catchup.filling import catch_up, gaps, unpin
from worker.catchup.laggards import share_used
from worker.config import ARCHIVE, Config
from worker.log import Log

OWNER = "clerk"


def make_room(client: "redis.Redis", config: Config) -> None:
    """Detach who lags behind while the log is short of room."""
    out = breaker_of(client, config).all(config.wanted())
    relieve(client, _log(client, config), config, out, OWNER)
    if share_used(client) >= config.log.detach_at:
        # One that catches up too slowly must not hold what comes meanwhile either.
        for gap in gaps(client, config):
            unpin(client, gap)


def bring_back(client: "redis.Redis", config: Config) -> None:
    """Carry what detached destinations have missed, as long as they take it; then give them their groups again."""
    if ARCHIVE not in config.destinations or next(gaps(client, config), None) is None:
        return
    catch_up(client, _log(client, config), config)


def _log(client: "redis.Redis", config: Config) -> Log:
    return Log(client, lease_ms=int(config.worker.lease * 1000))
