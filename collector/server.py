"""uvicorn as we stop it: nobody who has a request on its way goes without an answer."""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

FAREWELL = 1.0
"""Seconds in which a client with an open connection is told, with its next answer, to open another."""

_CLOSE = (b"connection", b"close")


class Server(uvicorn.Server):
    """uvicorn would end the process by the signal that stopped it; what is gathered must be flushed first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections; answer what comes on the open ones, each for the last time; then close them.

        uvicorn alone would close those at once that are between two requests, and with them what is on its way.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        end = time.monotonic() + FAREWELL
        while self.server_state.connections and time.monotonic() < end and not self.force_exit:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)
