"""Changes the configuration of a collector that is at work: read, prepare, swap, between two requests."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from collector.config import Config
from collector.reload import Refused, Reread, reread
from collector.terminal import Terminal
from worker.reload import FileWatch

LOOK_EVERY = 1.0

logger = logging.getLogger(__name__)


class Reloader:
    """One change at a time. Reading and preparing happen in a thread: requests go on meanwhile."""

    def __init__(
        self,
        config: Config,
        read: Reread,
        *,
        prepare: Callable[[Config], None],
        swap: Callable[[Config], None],
        refuse: Callable[[Refused], None],
        stop: Callable[[], None],
    ) -> None:
        self._config = config
        self._read = read
        self._prepare = prepare
        self._swap = swap
        self._refuse = refuse
        self._stop = stop
        self._terminal = Terminal()
        self._watch = FileWatch(config.path)
        self._watch.doubt()
        self._asked = asyncio.Event()

    async def keep_watching(self) -> None:
        """Until cancelled."""
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hear)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LOOK_EVERY)
            if self._terminal.closed():
                self._stop()
            elif self._asked.is_set():
                self._asked.clear()
                self._watch.take()
                await self.reload()
            elif self._watch.changed():
                await self.reload()

    def _hear(self) -> None:
        self._terminal.hang_up()
        self._asked.set()

    async def reload(self) -> None:
        try:
            new = await asyncio.to_thread(self._fresh)
        except Refused as refused:
            for reason in refused.reasons:
                logger.error("the new configuration is refused: %s", reason)
            logger.error("the configuration %s goes on", self._config.version)
            self._refuse(refused)
            return
        if new.version != self._config.version:
            logger.warning("the configuration %s takes over from %s", new.version, self._config.version)
        self._config = new
        self._swap(new)

    def _fresh(self) -> Config:
        new = reread(self._config, self._read)
        if new.version != self._config.version:
            self._prepare(new)
        return new
