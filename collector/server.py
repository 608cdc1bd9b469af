"""uvicorn as we stop it: nobody who has a request on its way goes without an answer."""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from collector.connections import Connections
from collector.guard import Guarded

HANDSHAKE = 10.0
"""Seconds for a client and us to agree on TLS."""

GOODBYE = 2.0
"""Seconds for a client to confirm the end of TLS."""

SWEPT_EVERY = 10
"""Ticks of uvicorn, which are a tenth of a second."""

FAREWELL = 1.0
"""Seconds in which a client with an open connection is told, with its next answer, to open another."""

_CLOSE = (b"connection", b"close")


class Server(uvicorn.Server):
    """uvicorn would end the process by the signal that stopped it; what is gathered must be flushed first."""

    def __init__(self, config: uvicorn.Config, rules: Connections = Connections()) -> None:  # noqa: B008  # frozen
        super().__init__(config)
        self.rules = rules
        """For connections that are made from now on."""
        self.servers: list[asyncio.Server] = []

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but for the time that a handshake may take: uvicorn leaves it a minute."""
        tls = self.config.ssl
        loop = asyncio.get_running_loop()
        for one in sockets or ():
            server = await loop.create_server(
                self._connection,
                sock=one,
                ssl=tls,
                backlog=self.config.backlog,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE,
                ssl_shutdown_timeout=None if tls is None else GOODBYE,
            )
            self.servers.append(server)
        self.started = True

    def _connection(self) -> Guarded:
        return Guarded(self.config, self.server_state, {}, self.rules)

    async def on_tick(self, counter: int) -> bool:
        if counter % SWEPT_EVERY == 0:
            self.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def sweep(self, now: float) -> None:
        """End the connections whose deadline is over. To look at all of them is cheaper than a timer for each."""
        over = [one for one in self.server_state.connections if isinstance(one, Guarded) and one.deadline < now]
        for connection in over:
            connection.expire()

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
