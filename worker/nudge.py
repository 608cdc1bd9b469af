"""Asks RQ for drains from a thread of its own, so that nobody who appends ever waits for RQ."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable

import redis
import rq

from worker import jobs

Pair = tuple[int, str]
"""partition, destination"""

logger = logging.getLogger(__name__)


class Nudger:
    """Best effort: a nudge that fails is dropped, and the sweep sends another."""

    def __init__(self, client: "redis.Redis", *, most_queued: int) -> None:
        self._queue = jobs.queue_on(client)
        self._most_queued = most_queued
        self._wanted: queue.SimpleQueue[Pair | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
        self._thread.start()

    def nudge(self, pairs: Iterable[Pair]) -> None:
        for pair in pairs:
            self._wanted.put(pair)

    def close(self) -> None:
        self._wanted.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (pair := self._wanted.get()) is not None:
            send(self._queue, [pair], self._most_queued)


def send(queue: rq.Queue, pairs: Iterable[Pair], most_queued: int) -> None:
    """Enqueue drains of live messages now, unless more jobs wait than could be useful."""
    _send(queue, pairs, most_queued, jobs.enqueue)


def send_later(queue: rq.Queue, pairs: Iterable[Pair], most_queued: int) -> None:
    """The same for what is not live."""
    _send(queue, pairs, most_queued, jobs.enqueue_later)


def _send(
    queue: rq.Queue, pairs: Iterable[Pair], most_queued: int, enqueue: Callable[[rq.Queue, int, str], None]
) -> None:
    try:
        room = most_queued - queue.count
        for partition, destination in list(pairs)[: max(0, room)]:
            enqueue(queue, partition, destination)
    except redis.RedisError as error:
        logger.warning("the RQ server is away, the sweep will nudge again: %s", type(error).__name__)


def most_queued(partitions: int, destinations: int) -> int:
    """More jobs than one a pair could not be useful; as many again leave room for those about to end."""
    return 2 * partitions * destinations
