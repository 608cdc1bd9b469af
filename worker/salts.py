"""The secrets of days, shared by all collectors by way of the log server."""

import os
from typing import cast

import redis

from schemas.dates import stamp
from worker import keys

DAY_MS = 86_400_000
BYTES = 16
KEPT_MS = 3_600_000
"""A salt outlives its day by this, for clocks that are behind; then nobody can tell whose ids were whose."""


def salt(client: "redis.Redis", day: int) -> bytes:
    """The salt of a day (counted from 1970), made by whoever asks first. Raises redis.RedisError."""
    key = keys.salt(stamp(day * DAY_MS)[:10])
    client.set(key, os.urandom(BYTES), nx=True, pxat=(day + 1) * DAY_MS + KEPT_MS)
    return cast(bytes, client.get(key))
