"""Remember what was learned for a while, and never more than so much of it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class Fading(Generic[K, V]):
    """What was put in longest ago goes first."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        """`most`: so many values, together with what is in them."""
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._size = 0

    def put(self, key: K, value: V) -> None:
        self.drop(key)
        self._kept[key] = (self._clock() + self._seconds, value)
        self._size += 1 + len(value)
        while self._size > self._most:
            self.drop(next(iter(self._kept)))

    def get(self, key: K) -> V | None:
        """None once it has faded."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            self.drop(key)
            return None
        return found[1]

    def drop(self, key: K) -> None:
        if key in self._kept:
            self._size -= 1 + len(self._kept.pop(key)[1])
