"""The examples of docs/profile-api.md give what it shows."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collector.profiles.asked import USUAL
from tests.collector.profiles.people import TOKEN, Given
from tests.collector.served import served, shell
from tests.collector.test_docs_http import values

PAGE = (Path(__file__).parents[3] / "docs" / "profile-api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    given = Given(tmp_path_factory.mktemp("profiles"))
    [said] = re.findall(r"<!-- messages -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    given.say(*(msgspec.json.decode(line) for line in said.splitlines()))
    with served(given.api().app) as port:
        yield port
    given.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "shown"), EXAMPLES)
def test_an_example_gives_what_is_shown(port: int, command: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", TOKEN)
    assert values(shell(command, port)) == values(shown)


def test_every_shell_block_has_its_result() -> None:
    assert len(EXAMPLES) == PAGE.count("```sh")


def test_every_question_is_named_with_its_usual_limit() -> None:
    for name, usual in USUAL.items():
        place = "" if name == "profiles" else f"`/TYPE:VALUE/{name}`"
        assert re.search(rf"^\| {place}.*`limit` \({usual}\b", PAGE, re.MULTILINE), name
