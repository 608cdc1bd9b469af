"""Tells a SIGHUP that asks for the configuration to be read anew from one that says the terminal is closing."""

import os
import time

SOON = 5.0
"""Seconds within which a terminal goes whose closing was announced: the signal may come before the fact."""


class Terminal:
    """The terminal that this process was started from, if it was."""

    def __init__(self) -> None:
        self._had_one = _there()
        self._hung_up = float("-inf")

    def hang_up(self) -> None:
        """SIGHUP came."""
        self._hung_up = time.monotonic()

    def closed(self) -> bool:
        """Whether it came because the terminal is gone. A service never had one, and is not asked to stop like this."""
        return self._had_one and time.monotonic() - self._hung_up < SOON and not _there()


def _there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
