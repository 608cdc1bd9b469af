"""What 200 means, held against what the server does."""

from pathlib import Path

import pytest
import redis

from worker import connect
from worker.config import Durability as Name
from worker.durability import ServerSettings, ask, judge
from worker.embedded import rq_server


def server(**changes: object) -> ServerSettings:
    settings: dict[str, object] = {"appendonly": "yes", "appendfsync": "always", "policy": "noeviction", "replicas": 0}
    return ServerSettings(**(settings | changes))  # type: ignore[arg-type]  # checked by the tests below


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("fsync", server()),
        ("everysec", server(appendfsync="everysec")),
        ("everysec", server()),
        ("replica", server(replicas=1, appendfsync="everysec")),
        ("fsync", server(policy="?")),
    ],
)
def test_a_server_that_keeps_the_promise_gives_no_trouble(name: Name, found: ServerSettings) -> None:
    assert judge(name, found).troubles == ()


@pytest.mark.parametrize(
    ("name", "found", "trouble"),
    [
        ("fsync", server(appendonly="no"), "appendonly is no: the log is gone when its server restarts"),
        ("fsync", server(appendfsync="everysec"), "appendfsync is everysec, not always"),
        ("everysec", server(appendfsync="no"), "up to 30 s of messages are lost"),
        ("replica", server(), "no replica is connected"),
        ("fsync", server(policy="allkeys-lru"), "the server may throw messages away"),
        ("fsync", server(appendonly="?"), "appendonly is ?"),
        ("fsync", server(appendfsync="?"), "appendfsync is ?, not always"),
    ],
)
def test_a_server_that_falls_short_is_told_of(name: Name, found: ServerSettings, trouble: str) -> None:
    (words,) = judge(name, found).troubles
    assert trouble in words


def test_all_shortcomings_are_told_at_once() -> None:
    assert len(judge("fsync", server(appendonly="no", appendfsync="no", policy="volatile-ttl")).troubles) == 3


def test_the_embedded_log_keeps_its_promise(log_client: redis.Redis) -> None:
    found = judge("fsync", ask(log_client))
    assert (found.appendonly, found.appendfsync, found.replicas, found.troubles) == ("yes", "always", 0, ())


def test_the_embedded_rq_server_would_not_do_as_a_log(rq_client: redis.Redis) -> None:
    assert judge("fsync", ask(rq_client)).troubles


def test_a_server_that_keeps_its_settings_to_itself_is_not_trusted(tmp_path: Path) -> None:
    managed = rq_server(tmp_path)
    managed.start()
    client = connect.client(managed.url, timeout=5.0)
    client.acl_setuser("default", enabled=True, commands=["-config"], nopass=True, keys=["*"])
    assert ask(client) == ServerSettings(appendonly="?", appendfsync="?", policy="?", replicas=0)
    client.close()
    managed.stop()
