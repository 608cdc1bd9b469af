"""A pool takes another configuration while it works."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from destinations.errors import Problem, SettingsError
from tests.processes import alive
from tests.waiting import eventually
from tests.worker.rig import append, terms
from tests.worker.test_pool import told, working
from worker import beats, child
from worker.config import Config, DestinationTable, LogSettings, RqSettings, ServerUrl, Source, WorkerSettings
from worker.embedded import Server
from worker.errors import WorkerError
from worker.reload import FileWatch, fitting, fixed

HOOK = terms("hook")


@pytest.fixture
def config(log_process: Server, rq_process: Server, tmp_path: Path) -> Config:
    return Config(
        version="one",
        data=tmp_path,
        log=LogSettings(url=ServerUrl(log_process.url), partitions=1),
        rq=RqSettings(url=ServerUrl(rq_process.url)),
        worker=WorkerSettings(processes=1),
        sources={"web": Source(destinations=("hook",))},
        destinations={"hook": to_file(tmp_path / "one.jsonl")},
    )


def to_file(path: Path) -> DestinationTable:
    return DestinationTable(type="file", settings={"path": str(path)}, place="[destinations.hook]")


def changed(config: Config, **fields: Any) -> Config:
    return msgspec.structs.replace(config, **fields)


def lines(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def workers(client: redis.Redis) -> dict[str, int]:
    """The configuration that each worker at work has, and its process id."""
    return {beat.config: beat.pid for beat in beats.read(client) if beat.role == child.ROLE}


def refusing(error: Exception) -> Callable[[], Config]:
    def reload() -> Config:
        raise error

    return reload


def test_a_good_configuration_replaces_the_old_one_and_nothing_is_lost_on_the_way(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    new = changed(config, version="two", destinations={"hook": to_file(tmp_path / "two.jsonl")})
    with working(config, reload=lambda: new) as pid:
        old = eventually(lambda: workers(log_client).get("one"))
        assert old is not None
        append(log_client, HOOK, "a")
        eventually(lambda: lines(tmp_path / "one.jsonl") == 1)
        os.kill(pid, signal.SIGHUP)
        number = 0
        while "two" not in workers(log_client) or alive(old):
            number += 1
            append(log_client, HOOK, f"b{number}")
            eventually(lambda: both(tmp_path) == number + 1)  # noqa: B023  called at once
        append(log_client, HOOK, "c")
        eventually(lambda: both(tmp_path) == number + 2)
        assert lines(tmp_path / "two.jsonl") >= 1
        eventually(lambda: {beat.config for beat in beats.read(log_client)} == {"two"}, what="the clerk is new too")
    assert both(tmp_path) == number + 2, "the old workers finished what they had in hand: nothing was sent twice"


def both(tmp_path: Path) -> int:
    return lines(tmp_path / "one.jsonl") + lines(tmp_path / "two.jsonl")


def test_a_change_of_the_file_is_noticed(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("old")
    with working(changed(config, path=str(file)), reload=lambda: changed(config, path=str(file), version="two")):
        eventually(lambda: "one" in workers(log_client))
        file.write_text("new and longer")
        eventually(lambda: list(workers(log_client)) == ["two"])


def test_a_wrong_configuration_is_not_taken_and_every_problem_is_told(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    wrong = SettingsError([Problem("turnout.toml [worker]", "first"), Problem("turnout.toml [log]", "second")])
    with working(config, reload=refusing(wrong), tell=tmp_path / "told") as pid:
        old = eventually(lambda: workers(log_client).get("one"))
        os.kill(pid, signal.SIGHUP)
        eventually(lambda: "second" in told(tmp_path))
        assert "turnout.toml [worker]: first" in told(tmp_path)
        append(log_client, HOOK, "a")
        eventually(lambda: lines(tmp_path / "one.jsonl") == 1)
        assert workers(log_client) == {"one": old}


def test_a_configuration_that_no_worker_can_start_with_is_given_up(
    config: Config, log_client: redis.Redis, rq_client: redis.Redis, tmp_path: Path
) -> None:
    broken = DestinationTable(type="file", settings={"path": 7}, place="[destinations.hook]")
    new = changed(config, version="two", destinations={"hook": broken})
    with working(config, reload=lambda: new, tell=tmp_path / "told") as pid:
        eventually(lambda: workers(log_client).get("one"))
        os.kill(pid, signal.SIGHUP)
        eventually(lambda: "the old one goes on" in told(tmp_path))
        append(log_client, HOOK, "a")
        eventually(lambda: lines(tmp_path / "one.jsonl") == 1)


def test_what_cannot_change_while_workers_run_is_refused_with_words() -> None:
    old = Config(data=Path("a"), log=LogSettings(partitions=8))
    new = Config(data=Path("b"), log=LogSettings(partitions=9, url=ServerUrl("redis://:secret@other/0")))
    words = fixed(old, new)
    assert [each.partition(" needs")[0] for each in words] == ["[log] url", "[log] partitions", "data"]
    assert "secret" not in " ".join(words)
    assert fixed(old, old) == []


def test_servers_that_are_not_there_any_more_keep_the_old_configuration(caplog: pytest.LogCaptureFixture) -> None:
    assert fitting(refusing(WorkerError("no `turnout up` is running")), Config()) is None
    assert "the new configuration is not taken: no `turnout up` is running" in caplog.text


def test_a_file_has_changed_once_for_each_change(tmp_path: Path) -> None:
    file = tmp_path / "turnout.toml"
    file.write_text("a")
    watched = FileWatch(str(file), rest=0)
    assert not watched.changed()
    file.write_text("longer")
    assert watched.changed()
    assert not watched.changed()
    file.unlink()
    assert not watched.changed(), "an editor may be about to put it back"
    file.write_text("back again")
    assert watched.changed()
    assert not FileWatch(None).changed()
