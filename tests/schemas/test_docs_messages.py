"""The examples of the page on messages are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.arrival import arrival
from schemas.errors import Invalid
from schemas.limits import Limits
from schemas.normalise import normalise
from schemas.reading import read
from schemas.reserved import ADDRESS_MEMBERS, COMPANY_MEMBERS, GROUP_TRAITS, USER_TRAITS

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
NOON = 1_714_996_800_000
TIMES = {"originalTimestamp", "receivedAt", "timestamp"}


def examples() -> Iterator[tuple[dict[str, Any], str, str, str]]:
    """For each example: what the batch said, what came in, `out` or `refused`, and what came of it."""
    batch: dict[str, Any] = {}
    said = ""
    for kind, text in re.findall(r"^```json (\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        if kind == "batch":
            batch = msgspec.json.decode(text)
        elif kind == "in":
            said = text
        else:
            yield batch, said, kind, text
            batch = {}


@pytest.mark.parametrize(("batch", "said", "kind", "came"), list(examples()))
def test_an_example_is_true(batch: dict[str, Any], said: str, kind: str, came: str) -> None:
    expected = msgspec.json.decode(came)
    message = read(said.encode(), Limits())
    if kind == "refused":
        with pytest.raises(Invalid) as caught:
            normalise(message, arrival(NOON), str, Limits())
        assert {one.path: one.code for one in caught.value.violations} == expected
        return
    found = normalise(message, arrival(NOON, **batch), str, Limits())
    unsaid = TIMES - expected.keys()
    assert {name: value for name, value in found.items() if name not in unsaid} == expected


def test_there_are_examples() -> None:
    assert len(list(examples())) == PAGE.count("```json in") > 8


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("users", USER_TRAITS),
        ("groups", GROUP_TRAITS),
        ("`address`", ADDRESS_MEMBERS),
        ("`company` of a user", COMPANY_MEMBERS),
    ],
)
def test_the_table_of_reserved_traits_is_complete(row: str, names: tuple[str, ...]) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {row} |"))
    assert re.findall(r"`(\w+)`", line.split("|")[2]) == list(names)


@pytest.mark.parametrize("name", ["message_bytes", "body_bytes", "batch_messages", "message_id_chars", "depth"])
def test_the_table_of_limits_is_true(name: str) -> None:
    line = next(line for line in PAGE.splitlines() if f"| `{name}`" in line)
    assert f" {getattr(Limits(), name):,} " in line
    assert name in Limits.__struct_fields__
    assert len(Limits.__struct_fields__) == 5


def test_every_note_is_explained_or_shown() -> None:
    sources = [path.read_text() for path in (Path(__file__).parents[2] / "schemas").glob("*.py")]
    rules = {rule for text in sources for rule in re.findall(r'note\([^()]*?, "(\w+)"', text)}
    assert len(rules) == 13
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in PAGE and f'"{rule}"' not in PAGE] == []
