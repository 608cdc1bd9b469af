"""Connections to the two servers: short time-outs, no retries behind our back."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def client(url: str, *, timeout: float) -> "redis.Redis":
    """A blocking client that says at once when the server does not answer.

    redis-py would retry by itself, and one logical append could then become two entries.
    """
    return redis.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def rq_client(url: str) -> "redis.Redis":
    """A client for RQ, which waits long for jobs and so may have no read time-out."""
    return redis.Redis.from_url(url, protocol=2, socket_connect_timeout=2.0)
