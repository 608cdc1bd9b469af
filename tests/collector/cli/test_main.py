"""What holds for every command."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli.table import count, span, table
from tests.collector.cli.conftest import Turnout

COMMANDS = ("up", "serve", "work", "send", "tail", "status", "pause", "resume", "check", "version")


def test_without_arguments_it_shows_its_commands(turnout: Turnout) -> None:
    ended = turnout()
    assert ended.code == 0
    assert all(f"\n  {command} " in ended.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_within_80_columns(turnout: Turnout, command: str) -> None:
    ended = turnout(command, "--help")
    assert ended.code == 0
    assert max(map(len, ended.lines)) <= 80


def test_no_command_is_cut_short_in_the_list(turnout: Turnout) -> None:
    assert "..." not in turnout("--help").out.partition("Commands:")[2]


@pytest.mark.parametrize("arguments", [["frobnicate"], ["status", "--frob"], ["up", "--port", "0"], ["send"]])
def test_wrong_usage_ends_with_2(turnout: Turnout, arguments: list[str]) -> None:
    ended = turnout(*arguments)
    assert ended.code == 2
    assert ended.err


@pytest.mark.parametrize("command", ["up", "serve", "work", "tail", "status", "check"])
def test_a_wrong_configuration_ends_with_2_and_a_line_for_each_mistake(turnout: Turnout, command: str) -> None:
    with open("turnout.toml", "w") as file:
        file.write("[collector]\nport = 'x'\nhots = 1\n[sources.web]\nwrite_keys = ['k']\n")
    ended = turnout(command)
    assert ended.code == 2
    assert ended.out == ""
    assert "turnout.toml [collector] port: must be a whole number" in ended.err
    assert "turnout.toml [collector] hots: is not a setting; did you mean 'host'?" in ended.err


@pytest.mark.parametrize("command", ["serve", "work", "tail", "status"])
def test_a_command_that_needs_running_servers_says_how_to_start_them(turnout: Turnout, command: str) -> None:
    ended = turnout(command)
    assert ended.code == 1
    assert ended.err == "turnout: no `turnout up` is running in data: start it, or set url under [log] and [rq]\n"


def test_the_version_is_that_of_the_distribution(turnout: Turnout) -> None:
    found = json.loads(turnout("version", "--json").out)["turnout"]
    assert turnout("version").out == turnout("--version").out == f"turnout {found}\n"


def test_help_loads_none_of_the_heavy_libraries() -> None:
    heavy = ("redis", "rq", "starlette", "uvicorn", "urllib3", "jsonschema", "zstandard")
    script = (
        "import sys\nfrom collector.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', *(name for name in {heavy!r} if name in sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "loaded:"


def test_a_table_fits_80_columns_whatever_is_in_it() -> None:
    heads = ("source", "destination", "received", "delivered", "filtered", "waiting", "dead", "oldest")
    row: tuple[str | int, ...] = ("s" * 64, "d" * 64, *[10**8 - 1] * 5, "2.5 d")
    lines = table(heads, [row, ("web", "hook", 1, 2, 3, 4, 5, "-")])
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("ssssss")
    assert "…" in lines[1]


def test_a_table_without_rows_still_says_what_it_would_show() -> None:
    assert table(("source", "dead"), []) == ["source  dead"]


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0"), (99_999_999, "99999999"), (123_456_789, "123.5M"), (2 * 10**12, "2.0T")]
)
def test_a_count_is_exact_while_it_is_short(number: int, words: str) -> None:
    assert count(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.04, "40 ms"), (12, "12 s"), (200, "3 min"), (9_000, "2.5 h"), (86_400, "1.0 d")],
)
def test_a_length_of_time_is_one_short_word(seconds: float | None, words: str) -> None:
    assert span(seconds) == words


def test_every_command_and_its_options_are_documented(turnout: Turnout) -> None:
    documentation = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
    for command in COMMANDS:
        assert f"`turnout {command}" in documentation
    for command in ("up", "serve", "work", "send"):
        for option in re.findall(r"  (?:-\w, )?(--\w+) ", turnout(command, "--help").out):
            assert option in (*documentation.split(), "--help") or f"{option}`" in documentation
