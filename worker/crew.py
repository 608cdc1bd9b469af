"""One thread for each destination, so that one that takes its time keeps nobody but itself waiting."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

import redis

from destinations.blame import steps_of
from worker.jobs import LATER
from worker.turns import Turn, Turns

logger = logging.getLogger(__name__)

Drain = Callable[[int, str, Callable[[int], bool]], str]
"""partition, destination, whether it gives way after so many batches that were not live -> how it ended"""


class Hand:
    """The thread that drains for one destination, one partition after the other."""

    def __init__(self, destination: str, drain: Drain, again: Callable[[int, str], None]) -> None:
        self.destination = destination
        self._drain = drain
        self._again = again
        self._turns = Turns()
        self._change = threading.Condition()
        self._stopped = False
        self._begun: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"deliver to {destination}", daemon=True)
        self._thread.start()

    def give(self, partition: int) -> None:
        """Drain this partition too, which has live messages; once is enough while it has not been begun."""
        with self._change:
            self._turns.add(partition)
            self._change.notify_all()

    def give_later(self, partition: int) -> None:
        """The same for a partition with anything else."""
        with self._change:
            self._turns.add_later(partition)
            self._change.notify_all()

    def stop(self) -> None:
        """Begin nothing new."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def ended(self, *, by: float) -> bool:
        self._thread.join(max(0.0, by - time.monotonic()))
        return not self._thread.is_alive()

    def busy_for(self) -> float:
        """Seconds since the drain in hand began."""
        begun = self._begun
        return time.monotonic() - begun if begun is not None else 0.0

    def _next(self) -> Turn | None:
        with self._change:
            self._change.wait_for(lambda: self._turns or self._stopped)
            return None if self._stopped else self._turns.take()

    def _gives_way(self, turn: Turn, carried: int) -> bool:
        return carried >= turn.owed and self._turns.live_waits()

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            self._begun = time.monotonic()
            try:
                ended = self._drain(turn.partition, self.destination, partial(self._gives_way, turn))
                self._after(turn.partition, ended)
            except redis.RedisError as error:
                logger.warning("%s: the log is away: %s", self.destination, error)
            except (Exception, SystemExit) as error:  # noqa: BLE001  the thread is all that this destination has
                # Not its words: they may quote a secret, or a message.
                logger.error(
                    "delivering to %s from p%02d failed: %s at %s",
                    self.destination,
                    turn.partition,
                    type(error).__name__,
                    steps_of(error),
                )
            finally:
                self._begun = None

    def _after(self, partition: int, ended: str) -> None:
        """What can wait stays at this thread; another process gets a share when the sweep finds it without owner."""
        # Live messages of others may have kept back here what can wait, and it must come to its turn.
        if ended == "later" or (ended == "more" and self._turns.live_waits()):
            self.give_later(partition)
        if ended == "more":
            self._go_on(partition)

    def _go_on(self, partition: int) -> None:
        """Whichever process is free goes on: this one may have other partitions to see to, and another none."""
        try:
            self._again(partition, self.destination)
        except redis.RedisError:
            self.give(partition)  # without RQ there is nobody to share with


class Crew:
    """All threads of a worker process. What is asked for is begun at once, or when its destination's turn comes."""

    def __init__(self, drain: Drain, again: Callable[[int, str], None]) -> None:
        """`again` asks that somebody, whichever process, goes on with a partition and a destination."""
        self._drain = drain
        self._again = again
        self._hands: dict[str, Hand] = {}
        self.stopping = False

    def take(self, partition: int, destination: str, haste: str = "") -> str:
        """What RQ's job does: pass it on, and be free for the next."""
        if self.stopping:
            return "stopping"
        if destination not in self._hands:
            self._hands[destination] = Hand(destination, self._drain, self._again)
        hand = self._hands[destination]
        hand.give_later(partition) if haste == LATER else hand.give(partition)
        return "taken"

    def slowest(self) -> tuple[str, float]:
        """The destination whose drain has taken the longest so far, and for how many seconds."""
        hands = list(self._hands.values())
        return max(((hand.destination, hand.busy_for()) for hand in hands), key=lambda pair: pair[1], default=("", 0.0))

    def stop(self) -> None:
        """Finish what is in hand; safe in a signal handler."""
        self.stopping = True

    def close(self, *, within: float) -> list[str]:
        """Wait for what is in hand. The destinations that did not come to an end."""
        self.stop()
        by = time.monotonic() + within
        hands = list(self._hands.values())
        for hand in hands:
            hand.stop()
        return [hand.destination for hand in hands if not hand.ended(by=by)]
