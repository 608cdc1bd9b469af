"""Name messages that come without an id. Each id is greater than those before it: of two at once, the later counts."""

import secrets
from collections.abc import Callable

_LOW = (1 << 62) - 1
_VERSION, _VARIANT = 7 << 76, 2 << 62


class Ids:
    """UUIDs of version 7. Within a millisecond, and while the clock goes back, they count on."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives seconds since 1970."""
        self._now = now
        self._ms = 0
        self._count = 0

    def __call__(self) -> str:
        ms = int(self._now() * 1000)
        if ms > self._ms:
            self._ms, self._count = ms, secrets.randbits(73)
        else:
            self._count += 1
        count = self._count
        text = f"{self._ms << 80 | _VERSION | (count >> 62) << 64 | _VARIANT | count & _LOW:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
