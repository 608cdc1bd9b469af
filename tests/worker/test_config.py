"""The settings of the log, RQ and the workers."""

import pytest

from destinations.errors import Unfit
from destinations.settings import read_table
from worker.config import Backoff, Config, DestinationTable, LogSettings, ServerUrl, WorkerSettings


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "redis://log.internal",
        "redis://:password@log.internal:6380/2",
        "rediss://user:password@log.internal:6380",
        "redis://[::1]:6379",
        "unix:///run/valkey.sock",
    ],
)
def test_a_server_is_embedded_or_has_a_url(url: str) -> None:
    assert ServerUrl.read(url) == url


@pytest.mark.parametrize("url", ["", "localhost", "http://log", "redis://", "unix://", "redis://h:70000", 6379, None])
def test_anything_else_is_no_server(url: object) -> None:
    with pytest.raises(Unfit, match="must be"):
        ServerUrl.read(url)


@pytest.mark.parametrize("url", ["redis://:secret@log:6379/0", "rediss://user:secret@log", "redis://:sec@ret@log"])
def test_a_url_shows_itself_without_its_password(url: str) -> None:
    settings = LogSettings(url=ServerUrl(url))
    assert "sec" not in repr(settings)
    assert "***@log" in repr(settings)


def test_two_databases_are_on_one_server() -> None:
    assert ServerUrl("redis://log/0").server == ServerUrl("redis://:p@log:6379/1").server
    assert ServerUrl("unix:///a.sock").server == ServerUrl("unix:///a.sock?db=1").server
    assert ServerUrl("redis://log").server != ServerUrl("redis://rq").server


def test_an_embedded_log_has_no_replica() -> None:
    read, problems = read_table(LogSettings, {"durability": "replica"}, "t.toml [log]")
    assert read is None
    assert "replica" in str(problems[0])


def test_a_budget_is_shorter_than_a_lease() -> None:
    _, problems = read_table(WorkerSettings, {"budget": "10s"}, "t.toml [worker]")
    assert [str(problem) for problem in problems] == ["t.toml [worker]: budget must be shorter than lease"]


def test_durations_are_seconds_and_say_so_in_words() -> None:
    settings, problems = read_table(WorkerSettings, {"sweep": "250ms", "backoff": {"horizon": "2d"}}, "t.toml [worker]")
    assert problems == ()
    assert settings is not None
    assert settings.sweep == 0.25
    assert float(settings.backoff.horizon) == 172_800.0
    assert str(settings.backoff.horizon) == "2d"


def test_a_backoff_is_the_policy_of_the_couriers() -> None:
    policy = Backoff().policy()
    assert policy.delay(1, chance=1.0) == 1.0
    assert policy.delay(3, chance=1.0) == 4.0
    assert policy.delay(99, chance=1.0) == 600.0


def test_a_destination_table_does_not_show_its_settings() -> None:
    table = DestinationTable(type="webhook", settings={"secret": "hush"})
    assert "hush" not in repr(table)


def test_servers_that_were_found_replace_the_urls() -> None:
    config = Config().at(log="unix:///log.sock", rq="unix:///rq.sock")
    assert (config.log.url, config.rq.url) == ("unix:///log.sock", "unix:///rq.sock")
    assert not config.log.url.embedded


def test_a_password_in_the_query_of_a_url_is_not_shown() -> None:
    assert repr(ServerUrl("redis://log:6379/0?password=hush")) == "redis://log:6379/0?***"
