"""The examples of docs/browsers-and-proxies.md do what it says they do."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collector.answers import LONGEST_WAIT
from collector.app import create_app
from collector.config import config_of
from collector.meters import GUESSES
from collector.metrics_route import PATHS
from collector.policy import kept_of
from schemas.limits import Limits
from tests.collector.client import NOON, MemoryLog
from tests.collector.served import served, shell

PAGE = (Path(__file__).parents[2] / "docs" / "browsers-and-proxies.md").read_text()
CONFIGURATION = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```(json|text)\n(.*?)```(?:\n```stored\n(.*?)```)?", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(scope="module")
def port(log: MemoryLog) -> Iterator[int]:
    config = config_of(CONFIGURATION[0], "turnout.toml", {})
    app = create_app(
        config.revealed_keys(),
        log,
        now=lambda: NOON,
        new_id=lambda: "id",
        limits=Limits(),
        policies=config.policies,
        trusted=config.trusted(),
    )
    with served(app) as port:
        yield port


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "kind", "shown", "stored"), EXAMPLES)
def test_an_example_gives_what_is_shown(
    port: int, log: MemoryLog, command: str, kind: str, shown: str, stored: str
) -> None:
    printed = shell(command, port)
    if kind == "json":
        assert msgspec.json.decode(printed) == msgspec.json.decode(shown)
    else:
        assert printed == shown
    if stored:
        assert log.messages[-1]["context"] == msgspec.json.decode(stored)


def test_every_shell_block_has_its_result() -> None:
    assert len(EXAMPLES) == PAGE.count("```sh") > 3


def test_the_numbers_are_those_in_force() -> None:
    assert f"More than {GUESSES} requests with unknown write keys" in PAGE
    assert f"wait for at most, {LONGEST_WAIT};" in PAGE
    assert {path for path in PATHS if f"`{path}`" in PAGE} == {"/v1/m", "/rsaMetrics"}


def test_the_addresses_are_cut_as_shown() -> None:
    rows = re.findall(r"^\| `\"(keep|cut|drop)\"` \| ?(\S*) \| ?(\S*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 3
    for policy, *shown in rows:
        assert [kept_of(ip, policy) or "" for ip in ("203.0.113.77", "2001:db8:1:2:3:4:5:6")] == shown
