"""Hold a replay to so many messages a second. Pure."""

BURST_SECONDS = 0.25


class Tempo:
    """A bucket that fills with the rate and never holds more than a quarter of a second's messages."""

    def __init__(self, rate: float, now: float) -> None:
        """`rate` 0: as fast as it goes."""
        self._rate = rate
        self._at = now
        self._room = 0.0

    @property
    def at_once(self) -> int:
        """How many messages it lets through together."""
        return max(1, int(self._rate * BURST_SECONDS))

    def wait(self, count: int, now: float) -> float:
        """How long so many messages have to wait; 0 when they may go, and then they count as gone."""
        if not self._rate:
            return 0.0
        self._room = min(float(self.at_once), self._room + (now - self._at) * self._rate)
        self._at = now
        if self._room >= count:
            self._room -= count
            return 0.0
        return (count - self._room) / self._rate
