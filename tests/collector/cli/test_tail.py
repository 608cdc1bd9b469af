"""`turnout tail`: how a message becomes a line."""

from pathlib import Path
from typing import Any

import pytest

from collector.cli.tail import line, printable, wanted
from tests.collector.cli.conftest import Turnout

AT = {"receivedAt": "2026-11-22T14:03:09.120Z"}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "track", "event": "Signed Up", "userId": "u1"}, "Signed Up u1"),
        ({"type": "page", "category": "Docs", "name": "Home", "anonymousId": "a1"}, "Docs Home a1"),
        ({"type": "screen", "anonymousId": "a1"}, "a1"),
        ({"type": "group", "groupId": "acme", "userId": "u1"}, "acme u1"),
        ({"type": "alias", "previousId": "a1", "userId": "u1"}, "a1 is now u1"),
        ({"type": "identify", "userId": "u1", "anonymousId": "a1"}, "u1"),
    ],
)
def test_a_line_says_when_from_where_what_and_who(message: dict[str, Any], words: str) -> None:
    shown = [word for word in line("web", {**message, **AT}).split() if "\x1b" not in word]
    assert " ".join(shown) == f"14:03:09.120 web {words}"


def test_a_message_cannot_steer_the_terminal() -> None:
    shown = line("web", {"type": "track", "event": "a\x1b[2J\n\u202e", "userId": "u\x07\x9b", **AT})
    assert printable("\x1b[2J") == "\N{REPLACEMENT CHARACTER}[2J"
    assert "\x1b[2J" not in shown
    assert not {"\n", "\x07", "\x9b", "\u202e"} & set(shown)


def test_a_line_stays_within_80_columns() -> None:
    shown = line("s" * 64, {"type": "track", "event": "e" * 300, "userId": "u" * 300, **AT})
    assert len(shown) - len("\x1b[32m\x1b[0m") <= 80


def test_filters_hold_together() -> None:
    message = {"type": "track", "event": "A"}
    assert wanted(message, None, None)
    assert wanted(message, "track", "A")
    assert not wanted(message, "page", None)
    assert not wanted(message, "track", "B")


def test_a_source_that_is_not_there_is_told(turnout: Turnout) -> None:
    Path("turnout.toml").write_text(
        "[sources.web]\nwrite_keys = ['k']\n[log]\nurl = 'redis://127.0.0.1:1'\n[rq]\nurl = 'redis://127.0.0.1:2'"
    )
    ended = turnout("tail", "--source", "wbe")
    assert (ended.code, ended.err) == (2, "turnout: there is no source 'wbe'; there are web\n")


def test_a_log_that_is_away_is_told_in_a_line(turnout: Turnout) -> None:
    Path("turnout.toml").write_text(
        "[sources.web]\nwrite_keys = ['k']\n[log]\nurl = 'redis://:hush@127.0.0.1:1'\n[rq]\nurl = 'redis://127.0.0.1:2'"
    )
    for command in ("tail", "status"):
        ended = turnout(command)
        assert ended.code == 1
        assert ended.err.startswith("turnout: the log at redis://***@127.0.0.1:1 does not answer: ")
        assert ended.err.count("\n") == 1
