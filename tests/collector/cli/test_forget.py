"""`turnout forget`."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from tests.collector.cli.conftest import Turnout
from tests.worker.rig import append, body, terms
from worker import keys
from worker.forgetting import conductor


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No collector is at work here that one would have to wait for."""
    monkeypatch.setattr(conductor, "COLLECTORS_KNOW_AFTER", 0.0)


def messages(client: redis.Redis) -> list[str]:
    entries: Any = client.xrange(keys.log(0, "web"))
    return [fields[b"m"].decode() for _, fields in entries]


def test_the_user_goes_and_the_report_says_where_from(turnout: Turnout, configured: redis.Redis) -> None:
    append(configured, terms("hook", "archive"), "b", bodies=[body("b", user="vera-4711")])
    ended = turnout("forget", "--user", "vera-4711", "--yes", "--json")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["state"] == "FINISHED"
    assert report["report"]["removed"]["log"] == 1
    assert report["report"]["answers"] == [{"destination": "hook", "answer": "not supported", "reason": ""}]
    assert "vera-4711" not in ended.out
    first, second = messages(configured)
    assert first == body("a").decode()
    assert msgspec.json.decode(second)["type"] == "forgotten"


def test_reports_are_listed_and_shown_without_the_id_of_the_user(turnout: Turnout, configured: redis.Redis) -> None:
    assert turnout("forget", "--list").out == "nobody was forgotten yet\n"
    number = json.loads(turnout("forget", "--user", "vera-4711", "--yes", "--json").out)["id"]
    listed = turnout("forget", "--list")
    assert [number, "SUPPRESS_WITH_DELETE"] == listed.lines[1].split()[:2]
    shown = turnout("forget", "--show", number)
    assert "not supported" in shown.out
    assert "vera-4711" not in listed.out + shown.out
    assert all(len(line) <= 80 for line in [*listed.lines, *shown.lines])


def test_a_destination_that_fails_is_told_and_ends_with_1(
    turnout: Turnout, configured: redis.Redis, tmp_path: Path
) -> None:
    toml = tmp_path / "turnout.toml"
    hook = 'type = "webhook"\nurl = "http://127.0.0.1:9/"\nallow_private = true\ndeletions = true'
    toml.write_text(toml.read_text().replace('type = "console"', hook))
    ended = turnout("forget", "--user", "vera", "--yes")
    assert ended.code == 1
    assert "1 destination failed: `turnout forget` asks again" in ended.out


def test_a_user_can_be_taken_in_again(turnout: Turnout, configured: redis.Redis) -> None:
    assert turnout("forget", "--user", "vera", "--type", "SUPPRESS_ONLY", "--yes").code == 0
    assert b"" in configured.hgetall(keys.FORGOTTEN).values()
    assert turnout("forget", "--user", "vera", "--type", "UNSUPPRESS").code == 0
    assert b"" not in configured.hgetall(keys.FORGOTTEN).values()


@pytest.mark.parametrize("words", [(), ("--user", "u", "--list"), ("--user", "")])
def test_one_thing_is_asked_for_at_a_time(turnout: Turnout, words: tuple[str, ...]) -> None:
    ended = turnout("forget", *words)
    assert ended.code == 2
    assert "say one of --user ID, --list, --show ID" in ended.err


def test_nobody_is_forgotten_without_being_asked(turnout: Turnout, configured: redis.Redis) -> None:
    ended = turnout("forget", "--user", "u")
    assert ended.code == 2
    assert "say --yes" in ended.err
    assert messages(configured) == [body("a").decode()]


def test_a_report_that_is_not_there(turnout: Turnout, configured: redis.Redis) -> None:
    ended = turnout("forget", "--show", "reg_no")
    assert ended.code == 1
    assert "there is no report 'reg_no'" in ended.err
