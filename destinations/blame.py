"""Say where an error arose without repeating its words, which may quote a secret or a message."""

import traceback


def steps_of(error: BaseException) -> str:
    """The places that it came through, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
