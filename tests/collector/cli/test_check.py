"""`turnout check`."""

import json
from pathlib import Path

import pytest
import redis

from tests.collector.cli.conftest import Turnout
from worker.embedded import Server


def write(text: str) -> None:
    Path("turnout.toml").write_text(text)


@pytest.fixture
def servers(log_process: Server, rq_process: Server) -> str:
    return f"[log]\nurl = '{log_process.url}'\n[rq]\nurl = '{rq_process.url}'\n"


SOURCE = "[sources.web]\nwrite_keys = ['k']\n"


def test_the_built_in_configuration_is_fine(turnout: Turnout) -> None:
    ended = turnout("check")
    assert ended.code == 0
    assert ended.lines[0].startswith("ok   configuration: built in")
    assert "ok   log: embedded; not running now, `turnout up` starts it" in ended.lines
    assert "ok   destination archive: fine (archive)" in ended.lines


def test_servers_and_destinations_that_answer_are_fine(turnout: Turnout, servers: str) -> None:
    write(servers + SOURCE + "[destinations.lines]\ntype = 'file'\npath = 'lines.jsonl'\n")
    ended = turnout("check", "--json")
    assert ended.code == 0
    answer = json.loads(ended.out)
    assert answer["ok"]
    assert [one["what"] for one in answer["checks"]] == [
        "configuration",
        "log",
        "rq",
        "database",
        "browsers",
        "destination lines",
        "destination profiles",
        "destination archive",
    ]


def test_a_log_that_is_less_durable_than_configured_is_found(
    turnout: Turnout, servers: str, log_client: redis.Redis
) -> None:
    write(servers + SOURCE)
    log_client.config_set("appendfsync", "everysec")
    try:
        ended = turnout("check")
    finally:
        log_client.config_set("appendfsync", "always")
    assert ended.code == 1
    assert "BAD  log: appendfsync is everysec, not always" in ended.out


def test_a_server_that_is_away_is_found_and_its_password_is_not_shown(turnout: Turnout) -> None:
    write(SOURCE + "[log]\nurl = 'redis://:hush@127.0.0.1:1'\n[rq]\nurl = 'redis://:hush@127.0.0.1:2'\n")
    ended = turnout("check")
    assert ended.code == 1
    assert "BAD  log: redis://***@127.0.0.1:1" in ended.out
    assert "BAD  rq: redis://***@127.0.0.1:2" in ended.out
    assert "hush" not in ended.out + ended.err


def test_a_destination_that_cannot_work_is_found(turnout: Turnout, servers: str) -> None:
    Path("lines").mkdir()
    write(servers + SOURCE + "[destinations.lines]\ntype = 'file'\npath = 'lines'\n")
    ended = turnout("check")
    assert ended.code == 1
    assert "BAD  destination lines: lines is a directory" in ended.out


def test_a_destination_that_is_switched_off_is_not_tried(turnout: Turnout, servers: str) -> None:
    Path("lines").mkdir()
    write(servers + SOURCE + "[destinations.lines]\ntype = 'file'\npath = 'lines'\nenabled = false\n")
    assert turnout("check").code == 0


def test_mistakes_are_told_in_json_too(turnout: Turnout) -> None:
    write("[sources.web]\nwrite_keys = []\nx = 1")
    ended = turnout("check", "--json")
    assert ended.code == 2
    assert json.loads(ended.out) == {
        "ok": False,
        "problems": [
            {"place": "turnout.toml [sources.web] x", "message": "is not a setting"},
            {"place": "turnout.toml [sources.web] write_keys", "message": "must be a list with at least one item"},
        ],
        "checks": [],
    }


def test_a_source_that_asks_for_groups_which_nobody_keeps_is_told(turnout: Turnout) -> None:
    write(SOURCE + "attach_groups = true\n[destinations.profiles]\ntype = 'profiles'\nenabled = false\n")
    ended = turnout("check")
    assert ended.code == 0
    words = "attach_groups does nothing (web): no source has a destination of type profiles"
    assert f"--   groups: {words}" in ended.out
