"""A configuration whose servers are those of the tests: commands can be tried without a `turnout up`."""

from pathlib import Path

import redis

from worker import connect
from worker.embedded import Server

CONFIG = """
[sources.web]
write_keys = ["a-long-write-key"]

[destinations.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
allow_private = true

[log]
url = "{log}"
partitions = 4

[rq]
url = "{rq}"
"""


def configured(directory: Path, log: Server, rq: Server, more: str = "") -> None:
    (directory / "turnout.toml").write_text(CONFIG.format(log=log.url, rq=rq.url) + more)


def emptied(log: Server) -> "redis.Redis":
    client = connect.client(log.url, timeout=5.0)
    client.flushall()
    return client
