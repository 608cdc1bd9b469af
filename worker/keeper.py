"""Keeps the lease in hand alive while a destination takes its time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from worker.log import Lease


class Keeper:
    """One thread a process; renews whatever lease is held, every `interval` seconds."""

    def __init__(self, renew: Callable[[Lease], bool], *, interval: float) -> None:
        self._renew = renew
        self._interval = interval
        self._lease: Lease | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        self._thread.start()

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        self._lease = lease
        try:
            yield
        finally:
            self._lease = None

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._interval):
            lease = self._lease
            if lease is None:
                continue
            try:
                self._renew(lease)
            except redis.RedisError:
                continue  # the commit will find out; a lease that ran out is not ours to mourn here
