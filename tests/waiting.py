"""Waiting for something to become true, never longer than it has to."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LONGEST_PAUSE = 0.05


def eventually(condition: Callable[[], T], *, within: float = 20.0, what: str = "") -> T:
    """The first true value of `condition`; AssertionError with its last one when none comes within so many seconds.

    A condition may assert as well: its last AssertionError is then the reason of ours.
    """
    end, pause = time.monotonic() + within, 0.002
    while True:
        late = time.monotonic() >= end
        reason: AssertionError | None = None
        try:
            last = condition()
            if last:
                return last
            words = f"the last value was {last!r}"
        except AssertionError as error:
            reason, words = error, str(error)
        if late:
            raise AssertionError(f"{what or 'it'} did not happen within {within:g} s: {words}") from reason
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
