"""How much of a fault is tried: a little at each run of the tests, everything when somebody has half an hour."""

import os
from dataclasses import dataclass

VARIABLE = "TURNOUT_SOAK_MINUTES"


@dataclass(frozen=True)
class Scale:
    """`soak_minutes` 0: the short form."""

    soak_minutes: float

    @property
    def long(self) -> bool:
        return self.soak_minutes > 0

    def of(self, short: int, long: int) -> int:
        """A number that is small in the short form."""
        return long if self.long else short

    def seconds(self, short: float, long: float) -> float:
        return long if self.long else short


def current() -> Scale:
    return Scale(float(os.environ.get(VARIABLE) or 0))
