"""Named points at which a test can have this process die; elsewhere they do nothing."""

import os
import signal

POINTS = ("acquired", "read", "delivered", "committed", "released")
"""Of a courier."""

COLLECTOR_POINTS = ("before_append", "after_append")
VARIABLE = "TURNOUT_CRASH_AT"


def crash(point: str) -> None:
    """Die as from a power cut, when the environment variable TURNOUT_CRASH_AT names this point."""
    if os.environ.get(VARIABLE) == point:
        os.kill(os.getpid(), signal.SIGKILL)
