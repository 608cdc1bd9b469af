"""Do beside the event loop what takes time, a little at once."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context, parent_process
from typing import ParamSpec, TypeVar

from collector.api.errors import Away, TooOften

P = ParamSpec("P")
R = TypeVar("R")

MOST_WAITING = 16
NICENESS = 5


class Aside:
    """An executor that is made when it is first needed, and again when it broke."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._executor: Executor | None = None
        self._under_way = 0

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` gives back. Raises TooOften when too many wait already."""
        if self._under_way >= MOST_WAITING:
            raise TooOften(f"{MOST_WAITING} questions are being looked into already", 1)
        if self._executor is None:
            self._executor = self._make()
        self._under_way += 1
        try:
            return await asyncio.wrap_future(self._executor.submit(work, *args, **kwargs))
        except BrokenExecutor as error:
            self._executor = None
            raise Away("the search was interrupted; try again") from error
        finally:
            self._under_way -= 1

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


def threads() -> Executor:
    """For what waits for a database."""
    return ThreadPoolExecutor(2, "lookups")


def a_process() -> Executor:
    """For what computes: in a thread it would take turns with the messages that come in."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_settle_in)


def _settle_in() -> None:
    os.nice(NICENESS)
    # Its end is the business of its parent, also when Ctrl-C reaches both, or the parent is killed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
