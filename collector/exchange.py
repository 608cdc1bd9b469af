"""One connection to the log server: commands out in one write, answers in, in bounded time."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import hiredis
import redis.asyncio
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError

Word = str | bytes | int


def command(*words: Word) -> bytes:
    """A command as it goes over the wire. redis-py's own packing costs several times as much."""
    packed: bytes = hiredis.pack_command(cast(Any, words))
    return packed


class Link:
    """An open connection in the hands of one user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, commands: Sequence[bytes]) -> list[object]:
        """The answer to each command; an error that the server tells is an answer too."""
        if not commands:
            return []
        with _told_as_lost():
            await self._connection.send_packed_command(b"".join(commands), check_health=False)
        answers: list[object] = []
        for _ in commands:
            try:
                answers.append(await self._connection.read_response(disable_decoding=True))
            except ResponseError as error:
                answers.append(error)
        return answers


class Exchange:
    """Lends out connections. Nothing is retried here: whoever asks knows whether asking twice does harm."""

    def __init__(self, client: "redis.asyncio.Redis", *, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """Raises RedisError, OSError or TimeoutError.

        A connection that failed is not used again: late answers may be on it.
        """
        async with asyncio.timeout(self._timeout):
            connection = self._idle.pop() if self._idle else await self._connected()
            try:
                yield Link(connection)
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            self._idle.append(connection)

    async def _connected(self) -> Connection:
        # Not lent out by redis-py's pool: that looks at the socket, by a system call, each time.
        connection = cast(Connection, self._client.connection_pool.make_connection())  # type: ignore[no-untyped-call]  # redis-py
        with _told_as_lost():
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py
        return connection

    async def ping(self) -> None:
        async with self.link() as link:
            for answer in await link.ask([command("PING")]):
                if isinstance(answer, Exception):
                    raise answer

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect()
        await self._client.aclose()


@contextmanager
def _told_as_lost() -> Iterator[None]:
    """Writing to a connection that the other side has just reset is a RuntimeError to uvloop."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionLost("the connection was closed by the other side") from error
