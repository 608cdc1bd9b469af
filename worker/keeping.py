"""Keep what people look at in the database, and not for ever."""

import time

import redis
from sqlalchemy import Engine

from worker.letters import desk as letters
from worker.letters.moving import move_letters
from worker.letters.resend import forget_tokens
from worker.refusals import desk as refusals
from worker.refusals.moving import move_refusals


def move_everything(client: "redis.Redis", engine: Engine) -> None:
    """Also what is left of sources and destinations that are no longer configured."""
    move_letters(client, engine)
    move_refusals(client, engine)


def forget_old(client: "redis.Redis", engine: Engine, *, partitions: int) -> None:
    """Letters that are dead stay until somebody deals with them; what was dealt with, and refusals, stay a while."""
    now_ms = int(time.time() * 1000)
    letters.drop_old(engine, now_ms=now_ms)
    refusals.drop_old(engine, now_ms=now_ms)
    forget_tokens(client, engine, partitions=partitions)
