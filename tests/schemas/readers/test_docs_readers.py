"""The page on readers: its example is run, and it names every reader."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from destinations.samples import envelope_of
from schemas.readers.events import EVENTS
from schemas.readers.order import Product
from tests.schemas.readers.everything import VIEWS, readers_of

PAGE = (Path(__file__).parents[3] / "docs" / "readers.md").read_text()
BLOCKS = dict(re.findall(r"^```([a-z ]+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
ENVELOPE = {
    "messageId": "m1",
    "receivedAt": "2024-05-06T12:00:00.000Z",
    "originalTimestamp": "2024-05-06T12:00:00.000Z",
}


def section(view: str) -> str:
    title = "reader" + (f".{view}" if view else "")
    return PAGE.split(f"\n## `{title}`\n")[1].split("\n## ")[0]


def test_the_example_is_true() -> None:
    names: dict[str, Any] = {}
    exec(BLOCKS["python"], names)  # noqa: S102 - our own page
    message = msgspec.json.decode(BLOCKS["json in"])
    assert names["contact"](envelope_of(ENVELOPE | message)) == msgspec.json.decode(BLOCKS["json out"])


@pytest.mark.parametrize("view", VIEWS)
def test_every_reader_has_its_row(view: str) -> None:
    rows = re.findall(r"^\| (`[^|]+`) \|", section(view), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == readers_of(VIEWS[view])
    assert set(readers_of(Product)) <= set(readers_of(VIEWS["order"]))


def test_the_number_of_reserved_events_is_true() -> None:
    assert f"for the {len(EVENTS)} events" in PAGE
