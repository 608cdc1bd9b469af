"""What `turnout up` decides about the processes that it keeps running."""

import socket

import pytest

from collector.cli.up import greeting, listening_on
from collector.config import Config, config_of
from collector.reaching import answers, reachable
from collector.supervise import CannotStart, Restarts
from tests.running import free_port
from worker.offspring import how_it_ended


def test_the_wait_grows_with_each_death_up_to_a_limit() -> None:
    restarts = Restarts(first=0.5, longest=30)
    assert [restarts.delay(deaths) for deaths in (1, 2, 3, 7, 8, 10_000)] == [0.5, 1, 2, 30, 30, 30]


def test_who_lived_long_died_of_something_new() -> None:
    restarts = Restarts(calm=60)
    assert restarts.deaths(before=5, lived=59.9) == 6
    assert restarts.deaths(before=5, lived=60) == 1


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL")])
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words


def listening(port: int, host: str = "127.0.0.1") -> Config:
    return config_of(f'[sources.web]\nwrite_keys = ["k"]\n[collector]\nhost = "{host}"\nport = {port}', None, {})


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*choose another with --port"):
            listening_on(listening(port))


def test_a_host_that_is_not_here_is_told() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 192\.0\.2\.1:8080"):
        listening_on(listening(8080, "192.0.2.1"))


def test_who_listens_but_says_nothing_is_no_collector_yet() -> None:
    (socket_,) = listening_on(listening(free_port()))
    with socket_:
        assert not answers(f"http://127.0.0.1:{socket_.getsockname()[1]}")


@pytest.mark.parametrize(("host", "found"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.1", "10.0.0.1")])  # noqa: S104  # compared
def test_who_listens_everywhere_is_reached_here(host: str, found: str) -> None:
    assert reachable(host) == found


def test_the_greeting_brackets_an_ipv6_address() -> None:
    config = config_of('[sources.web]\nwrite_keys = ["k"]\n[collector]\nhost = "::1"', "turnout.toml", {})
    assert "http://[::1]:8080/v1/track" in greeting(config)


def test_the_greeting_says_where_sdks_send_and_pages_ask() -> None:
    said = greeting(config_of('[sources.web]\nwrite_keys = ["dev"]', None, {}))
    assert "take http://127.0.0.1:8080 as their host" in said
    assert "http://127.0.0.1:8080/v1/projects/dev/settings (pages, apps)" in said


def test_the_greeting_fits_80_columns_at_home() -> None:
    config = config_of('[sources.web]\nwrite_keys = ["dev"]', None, {})
    lines = [line for line in greeting(config).splitlines() if "everything it keeps" not in line]
    assert max(map(len, lines)) <= 80
