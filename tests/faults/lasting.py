"""Faults have a length, which no condition can shorten."""

import threading


def lasts(seconds: float) -> None:
    """The fault goes on for so long."""
    threading.Event().wait(seconds)
