"""Waiting for something to become true, never longer than it has to."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.25
_SHARE = 0.1
"""Of the time waited so far: so much later than it happened is it seen."""


def eventually(condition: Callable[[], T], *, within: float = 20.0, what: str = "") -> T:
    """The first true value of `condition`; AssertionError with its last one when none comes within so many seconds.

    A condition may assert as well: its last AssertionError is then the reason of ours.
    """
    begun = time.monotonic()
    while True:
        asked = time.monotonic()
        reason: AssertionError | None = None
        try:
            last = condition()
            if last:
                return last
            words = f"the last value was {last!r}"
        except AssertionError as error:
            reason, words = error, str(error)
        if asked >= begun + within:
            raise AssertionError(f"{what or 'it'} did not happen within {within:g} s: {words}") from reason
        time.sleep(_pause(waited=time.monotonic() - begun, took=time.monotonic() - asked))


def _pause(*, waited: float, took: float) -> float:
    """Who looks at much looks less often: what is waited for needs the processor too."""
    return max(_SHORTEST_PAUSE, min(_LONGEST_PAUSE, max(_SHARE * waited, 2 * took)))
