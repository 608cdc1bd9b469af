"""The examples of the pages about RudderStack, Jitsu and OAuth do what they say they do."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.app import create_app
from collector.config import config_of
from collector.oauth.token_route import PATHS
from schemas.limits import Limits
from tests.collector.client import NOON, MemoryLog
from tests.collector.served import served, shell
from tests.collector.test_docs_http import values

DOCS = Path(__file__).parents[2] / "docs"
OAUTH = (DOCS / "oauth.md").read_text()
EXAMPLES = [
    example
    for name in ("rudderstack", "jitsu")
    for example in re.findall(
        r"```sh\n(.*?)```\n```json\n(.*?)```", (DOCS / "switching" / f"{name}.md").read_text(), re.DOTALL
    )
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = create_app({"web": ["dev"]}, MemoryLog(), now=lambda: NOON, new_id=lambda: "id", limits=Limits())
    with served(app) as port:
        yield port


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "shown"), EXAMPLES)
def test_an_example_gives_what_is_shown(port: int, command: str, shown: str) -> None:
    printed = shell(command, port)
    assert values(printed) == values(shown)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_keys_that_the_page_has_made_fit_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = re.findall(r"```\n(openssl .*?)```", OAUTH, re.DOTALL)[0]
    subprocess.run(["bash", "-ec", commands], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    monkeypatch.chdir(tmp_path)
    toml = re.findall(r"```toml\n(.*?)```", OAUTH, re.DOTALL)[0]
    config = config_of(toml, "turnout.toml", {"OAUTH_SECRET": "s" * 32, "BACKEND_WRITE_KEY": "k"})
    terms = config.policies["backend"].oauth
    assert terms is not None
    assert (tmp_path / "billing-private.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_the_page_names_every_path() -> None:
    assert [path for path in PATHS if f"`{path}`" not in OAUTH.replace("POST ", "")] == ["//token", "/token/"]
