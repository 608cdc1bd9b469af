"""Read the times that people type: dates, "2h", "3d", "yesterday". Pure."""

import re

from schemas.dates import moment, stamp
from worker.replay.errors import BadTime

_AGO = re.compile(r"(\d{1,6})(s|min|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DAY_MS = 86_400_000


def point(text: str, now_ms: int) -> str:
    """The moment as messages write it. Days begin at midnight UTC. Raises BadTime."""
    midnight = now_ms - now_ms % _DAY_MS
    named = {"now": now_ms, "today": midnight, "yesterday": midnight - _DAY_MS}
    if text in named:
        return stamp(named[text])
    if ago := _AGO.fullmatch(text):
        return stamp(max(0, now_ms - int(ago[1]) * _SECONDS[ago[2]] * 1_000))
    if found := moment(text):
        return stamp(found.ms)
    raise BadTime(f"{text!r} is no time: write 2026-02-28, 2026-02-28T14:00Z, 2h, 3d, today or yesterday")
