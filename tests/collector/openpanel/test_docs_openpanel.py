"""The examples of docs/switching/openpanel.md do what it says they do."""

import re
from pathlib import Path

import msgspec
import pytest

from collector.config import config_of
from collector.dialects.openpanel.special import AHEAD_MS
from collector.dialects.openpanel.visitor import SESSION_MS
from tests.collector.openpanel.asking import Asking, stripped
from worker.salts import KEPT_MS

PAGE = (Path(__file__).parents[3] / "docs" / "switching" / "openpanel.md").read_text()
EXAMPLES = re.findall(r"```json sent\n(.*?)```\n\n```json stored\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("sent", "stored"), EXAMPLES)
def test_an_example_is_stored_as_shown(sent: str, stored: str) -> None:
    asking = Asking()
    assert asking.post("/track", sent.encode(), {"openpanel-client-id": "wk_web"}).status == 200
    expected = msgspec.json.decode("[" + re.sub(r"\}\s*\n\{", "},{", stored) + "]")
    for message, shown in zip(map(stripped, asking.log.messages), expected, strict=True):
        assert {"context": {}, **shown} == {
            name: message[name] for name in message if name != "timestamp" or name in shown
        }


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("```json sent") == PAGE.count("```json stored") > 3


def test_the_configuration_is_right() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    built_in = '\n[destinations.console]\ntype = "console"\n'
    policy = config_of(text + built_in, None, {"OPENPANEL_SECRET": "hush"}).policies["shop"]
    assert (policy.openpanel.replay, policy.openpanel.secret and policy.openpanel.secret.reveal()) == ("ignore", "hush")
    assert "hush" not in repr(policy)


def test_the_times_are_those_in_force() -> None:
    assert (AHEAD_MS, SESSION_MS, KEPT_MS) == (60_000, 1_800_000, 3_600_000)
