"""docs/managing-users-and-groups.md: its commands, one after the other, print what it shows."""

import os
import re
import shlex
from pathlib import Path

from collector.cli.people_files import NAMES
from destinations.profiles import cells
from destinations.profiles.rows import GroupRow, UserRow
from tests.collector.cli.conftest import Turnout

PAGE = (Path(__file__).parents[3] / "docs" / "managing-users-and-groups.md").read_text()
FILES = re.findall(r"```(?:csv|jsonl) (\S+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    (command, shown)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, shown in re.findall(r"\$ turnout (.*)\n((?:(?!\$ ).*\n)*)", block)
]
WRITTEN = 1_709_110_800
"""2024-02-28T09:00Z: when the files of the page were saved."""


def comparable(text: str) -> list[str]:
    """Its lines without times, for edits are of now; what goes to standard error may come before or after."""
    without = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z?", "TIME", re.sub(r" +", " ", text))
    return sorted(without.splitlines())


def test_the_commands_of_the_page_print_what_it_shows(turnout: Turnout, tmp_path: Path) -> None:
    for name, content in FILES:
        (tmp_path / name).write_text(content)
        os.utime(tmp_path / name, (WRITTEN, WRITTEN))
    for command, shown in COMMANDS:
        done = turnout(*shlex.split(command))
        assert done.code == (1 if "are wrong" in shown else 0), command
        if shown:
            assert comparable(done.out + done.err) == comparable(shown), command


def test_every_column_is_named() -> None:
    columns = {*UserRow.__struct_fields__, *GroupRow.__struct_fields__} - {"traits", "history"}
    assert columns == set(cells.RESERVED)
    assert columns == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert {".csv", ".jsonl"} <= NAMES.keys()
