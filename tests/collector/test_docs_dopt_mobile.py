"""The shell examples of the pages for those who switch from Dopt, or with an app, do what they say they do."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collector.app import create_app
from collector.dialects.dopt import MOST_MESSAGES, MOST_USERS
from schemas.limits import Limits
from tests.collector.client import NOON, MemoryLog
from tests.collector.served import served, shell

PAGES = {
    name: (Path(__file__).parents[2] / "docs" / "switching" / f"{name}.md").read_text() for name in ("dopt", "mobile")
}
EXAMPLES = [
    (name, *found)
    for name, page in PAGES.items()
    for found in re.findall(r"```sh\n(.*?)```\n```json\n(.*?)```", page, re.DOTALL)
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = create_app({"web": ["dev"]}, MemoryLog(), now=lambda: NOON, new_id=lambda: "id", limits=Limits())
    with served(app) as port:
        yield port


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("page", "command", "shown"), EXAMPLES)
def test_an_example_gives_what_is_shown(port: int, page: str, command: str, shown: str) -> None:
    printed = shell(command, port)
    assert msgspec.json.decode(printed) == msgspec.json.decode(shown)


@pytest.mark.parametrize("page", PAGES)
def test_every_shell_block_has_its_result(page: str) -> None:
    assert [name for name, _, _ in EXAMPLES].count(page) == PAGES[page].count("```sh")


def test_the_limits_of_dopt_are_those_in_force() -> None:
    assert f"At most {MOST_USERS} users" in PAGES["dopt"]
    assert f"{MOST_MESSAGES:,} users and groups" in PAGES["dopt"]
