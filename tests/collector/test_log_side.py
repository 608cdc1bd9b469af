"""What serve does about a log that is away when it starts."""

from pathlib import Path

import pytest
import redis

from collector import log_side
from collector.config import Config, config_of
from worker import keys
from worker.embedded import Server
from worker.errors import WorkerError


def config_for(url: str, data: Path, *, spool: int = 1 << 20, partitions: int = 4) -> Config:
    text = (
        f'[collector]\nspool = {spool}\n[log]\nurl = "{url}"\npartitions = {partitions}\n'
        '[rq]\nurl = "unix:///nowhere/rq.sock"\n[sources.web]\nwrite_keys = ["dev"]\n'
    )
    return config_of(text, "turnout.toml", {}, data=data)


def test_with_a_spool_the_log_may_come_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not log_side.prepared(config_for(f"unix://{tmp_path}/none.sock", tmp_path))
    assert "is away" in caplog.text


def test_without_a_spool_there_must_be_a_log(tmp_path: Path) -> None:
    with pytest.raises(redis.ConnectionError):
        log_side.prepared(config_for(f"unix://{tmp_path}/none.sock", tmp_path, spool=0))


def test_the_log_must_be_that_of_this_configuration(
    log_process: Server, log_client: "redis.Redis", tmp_path: Path
) -> None:
    assert log_side.prepared(config_for(log_process.url, tmp_path))
    log_client.hset(keys.SETTINGS, "partitions", 16)
    with pytest.raises(WorkerError):
        log_side.prepared(config_for(log_process.url, tmp_path))
