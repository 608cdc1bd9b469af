"""Count what comes in against what a source may send, and what an address may guess."""

import math
from collections import OrderedDict
from collections.abc import Callable

from collector.errors import TooMany, UnknownKey
from collector.policy import Rate
from collector.visitor import neighbourhood

GUESSES = 100
"""Requests with unknown keys that an address may send in a minute."""
MINUTE = 60.0
MOST_ADDRESSES = 10_000
"""Counted at the same time; past it the one that has guessed least lately is forgotten."""


class Bucket:
    """A store of permits that fills by itself: so many a second, up to a burst."""

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._there = rate.at_once
        self._at = now

    def take(self, count: int, now: float) -> float:
        """0 when `count` messages may pass, else in how many seconds they may: then none of them does.

        More than the burst passes once the bucket is full, on credit: what comes next waits for longer.
        """
        self._there = min(self.rate.at_once, self._there + max(0.0, now - self._at) * self.rate.messages)
        self._at = now
        lacking = min(float(count), self.rate.at_once) - self._there
        if lacking > 0:
            return lacking / self.rate.messages
        self._there -= count
        return 0.0


class Meters:
    """The buckets of those sources that have a rate. They outlive a change of the configuration."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def take(self, source: str, rate: Rate, count: int, now: float) -> None:
        """Raises TooMany when the messages cannot pass now."""
        bucket = self._buckets.get(source)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[source] = Bucket(rate, now)
        wait = bucket.take(count, now)
        if wait > 0:
            words = f"this source takes {rate.messages:g} messages a second, and {rate.at_once:g} at once"
            raise TooMany("rate_limited", f"{words}; nothing was stored", math.ceil(wait))


class Guesses:
    """How often each address named a key that is none. Kept in memory, bounded."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def judged(self, unknown: UnknownKey, address: str) -> UnknownKey | TooMany:
        """What the address is told after this guess."""
        now, guesser = self._now(), neighbourhood(address)
        since, count = self._counts.pop(guesser, (now, 0))
        if not 0 <= now - since < MINUTE:
            since, count = now, 0
        self._counts[guesser] = (since, min(count, GUESSES) + 1)
        if len(self._counts) > MOST_ADDRESSES:
            self._counts.popitem(last=False)
        if count < GUESSES:
            return unknown
        words = f"more than {GUESSES} requests with unknown keys came from this address within a minute"
        return TooMany("too_many_unknown_keys", words, math.ceil(since + MINUTE - now))
