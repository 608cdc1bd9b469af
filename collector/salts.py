"""The secrets of each day, of which ids of visitors are made that nobody can link from one day to the next."""

import os
from functools import lru_cache

DAY_MS = 86_400_000
_BYTES = 16


def of_this_process(moment_ms: int) -> bytes:
    """The salt of the day of a moment, known to this process alone and gone with it."""
    return _of_day(moment_ms // DAY_MS)


@lru_cache(maxsize=3)
def _of_day(day: int) -> bytes:
    return os.urandom(_BYTES)
