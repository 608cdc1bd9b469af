"""Keeps leases alive while destinations take their time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from worker.log import Lease


class Keeper:
    """One thread a process; renews whatever leases are held, every `interval` seconds."""

    def __init__(self, renew: Callable[[Lease], bool], *, interval: float) -> None:
        self._renew = renew
        self._interval = interval
        self._held: dict[int, Lease] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        self._thread.start()

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        with self._lock:
            self._held[id(lease)] = lease
        try:
            yield
        finally:
            with self._lock:
                del self._held[id(lease)]

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._interval):
            with self._lock:
                held = list(self._held.items())
            try:
                for key, lease in held:
                    if key in self._held:
                        self._renew(lease)
            except redis.RedisError:
                # The server is away: asking for each of the others would only take longer. Their commits will
                # find out; a lease that ran out is not ours to mourn here.
                continue
