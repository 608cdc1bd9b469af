"""When to try again, and when to give up. Pure."""

import math

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Growing, jittered waits; all times in seconds."""

    first: float = 1.0
    factor: float = 2.0
    longest: float = 600.0
    horizon: float = 86_400.0
    attempts: int = 8
    """How often a message is tried at which the adapter itself fails."""

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds to wait after failed attempt number `attempt`; `chance` in [0, 1) spreads them over half to whole."""
        # Compared as logarithms: the power itself may be larger than any float.
        grown = math.log(self.first) + (attempt - 1) * math.log(self.factor)
        whole = self.longest if grown >= math.log(self.longest) else self.first * self.factor ** (attempt - 1)
        return whole * (0.5 + chance / 2)

    def wait(self, attempt: int, chance: float, asked: float | None) -> float:
        """The delay, or what the destination asked for (Retry-After), never beyond an hour."""
        if asked is not None and asked > 0:
            return min(asked, 3_600.0)
        return self.delay(attempt, chance)
