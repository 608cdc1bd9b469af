"""Look for garbage in circles seldom, while there is much of it that is none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 200_000


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """For long work in a process of its own: rows have no circles, and looking for some takes a third of the time."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
