"""The examples of docs/http-api.md do what it says they do."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collector.answers import LONGEST_WAIT
from collector.app import create_app
from collector.decoding import SPREAD
from collector.inflating import MEMBERS
from collector.quarantine import KEPT_BYTES
from collector.reading import BODY_SECONDS
from collector.routes import ROUTES
from schemas.limits import Limits
from tests.collector.client import NOON, MemoryLog
from tests.collector.served import served, shell

PAGE = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```(json|text)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = create_app({"web": ["dev"]}, MemoryLog(), now=lambda: NOON, new_id=lambda: "id", limits=Limits())
    with served(app) as port:
        yield port


def values(text: str) -> list[object]:
    """The JSON values that stand in the text one after the other."""
    return list(msgspec.json.decode("[" + re.sub(r"\}\s*\{", "},{", text) + "]"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "kind", "shown"), EXAMPLES)
def test_an_example_gives_what_is_shown(port: int, command: str, kind: str, shown: str) -> None:
    printed = shell(command, port)
    if kind == "json":
        assert values(printed) == values(shown)
    else:
        assert printed == shown


def test_every_shell_block_has_its_result() -> None:
    assert len(EXAMPLES) == PAGE.count("```sh")


def test_every_path_is_named() -> None:
    named = re.sub("`(POST|GET) ", "`", PAGE)
    assert [path for path in ROUTES if not path.endswith("/") and f"`{path}`" not in named] == []


def test_the_limits_are_those_in_force() -> None:
    limits = Limits()
    for number in (limits.message_bytes, limits.body_bytes, limits.batch_messages, KEPT_BYTES):
        assert f"{number:,}" in PAGE
    assert SPREAD == 2
    for words in (
        f"`Retry-After` in seconds, 1 to {LONGEST_WAIT}",
        f"after {BODY_SECONDS:g} seconds",
        f"gzip body | {MEMBERS} |",
        f"inside each other | {limits.depth} |",
        f"characters of a `messageId` | {limits.message_id_chars} |",
    ):
        assert words in PAGE
