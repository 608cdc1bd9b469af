"""A connection that goes away at the worst moment is lost, and nothing worse than that."""

import asyncio

import pytest
import redis.asyncio
import uvloop
from redis.exceptions import RedisError

from collector.exchange import Exchange
from worker.embedded import Server


def test_a_connection_closed_under_our_hands_is_told_as_lost_and_the_next_one_works(log_process: Server) -> None:
    async def twice() -> None:
        exchange = Exchange(redis.asyncio.Redis.from_url(log_process.url, protocol=2), timeout=2)
        await exchange.ping()
        exchange._idle[0]._writer.transport.abort()  # type: ignore[union-attr]  # it is connected
        await asyncio.sleep(0)
        with pytest.raises(RedisError):
            await exchange.ping()
        await exchange.ping()
        await exchange.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(twice())
