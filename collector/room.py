"""How much of this process's memory may hold bodies at the same time, from their first bytes to their answers."""

import asyncio
from typing import Any

from collector.errors import Crowded

SMALL = 65_536
"""Bodies up to this size are not counted: nearly all are, and the number of connections bounds them."""


class Room:
    """What a request holds is given back when its task ends, however it ends, and whoever has hung up meanwhile."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: dict[asyncio.Task[Any], int] = {}
        self._used = 0

    @property
    def used(self) -> int:
        return self._used

    def hold(self, size: int) -> None:
        """So many bytes more for the request at hand. Raises Crowded."""
        if self._used + size > self.most:
            raise Crowded("busy", "too many large requests are under way; try again later")
        task = asyncio.current_task()
        assert task is not None
        if task not in self._held:
            self._held[task] = 0
            task.add_done_callback(self._give_back)
        self._held[task] += size
        self._used += size

    def _give_back(self, task: asyncio.Task[Any]) -> None:
        self._used -= self._held.pop(task, 0)
