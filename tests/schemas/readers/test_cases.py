"""Each case answers what the libraries answer that mappings grew up with, or better, and then the page says why.

What those libraries answer was measured on them: `is` a value, a `date`, `nothing`, `unreadable` (a date that is none),
or that it `throws`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from schemas.dates import Moment, moment
from schemas.integrations import allows
from schemas.readers.find import find
from schemas.readers.reader import Reader, of
from schemas.readers.subject import Subject

CASES = msgspec.json.decode((Path(__file__).parent / "cases.json").read_bytes())
PAGE = (Path(__file__).parents[3] / "docs" / "readers.md").read_text()
NOW = {"timestamp": "2024-06-15T12:00:00.000Z"}

JSON: dict[str, Callable[[Any, Any], Any]] = {
    "find": find,
    "date": lambda value, _: moment(value),
}
READERS: dict[str, Callable[[Reader, Any], Any]] = {
    "traits": lambda reader, names: subject(reader).renamed(names) if names else reader.traits,
    "properties": lambda reader, names: reader.order.renamed(names) if names else reader.properties,
    "products": lambda reader, _: [product.raw for product in reader.order.products],
    "group_id": lambda reader, _: reader.group.id,
    "enabled": lambda reader, name: allows(reader.message.get("integrations"), name),
    "options": lambda reader, name: reader.options(name),
    "path": lambda reader, path: reader.path(path),
}
PLACES: dict[str, Callable[[Reader], Any]] = {
    "url": lambda reader: reader.page,
    "full_name": lambda reader: reader.page,
} | dict.fromkeys(
    ("revenue", "cents", "currency", "quantity", "subtotal", "product_id"), lambda reader: reader.order
)  # fmt: skip


def subject(reader: Reader) -> Subject:
    return reader.group if reader.type == "group" else reader.user


def answer(case: dict[str, Any]) -> Any:
    name, wish, message = case["read"], case.get("with"), case["message"]
    if name in JSON:
        return JSON[name](message, wish)
    reader = of(NOW | message)
    if name in READERS:
        return READERS[name](reader, wish)
    if name in PLACES:
        return getattr(PLACES[name](reader), name)
    return getattr(reader if hasattr(reader, name) else subject(reader), name)


def is_the_same(found: Any, expected: dict[str, Any], nothing: object = None) -> bool:
    match expected:
        case {"date": date}:
            return isinstance(found, Moment) and found.ms == moment(date).ms  # type: ignore[union-attr]  # they are
        case {"is": value}:
            return found is not UNSET and msgspec.json.encode(found) == msgspec.json.encode(value)
        case {"throws": True}:
            return False
        case _:
            return found is nothing


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['number']} {case['read']}")
def test_a_case_is_read_as_it_should_be(case: dict[str, Any]) -> None:
    # Only `find` tells what is missing from what is null.
    nothing = UNSET if case["read"] == "find" else None
    assert is_the_same(answer(case), case.get("ours", case["field"]), nothing)


@pytest.mark.parametrize("case", [case for case in CASES if "improved" in case], ids=lambda case: str(case["number"]))
def test_an_improvement_is_one_and_stands_on_the_page(case: dict[str, Any]) -> None:
    assert not is_the_same(answer(case), case["field"])
    assert f"| {case['improved']} |" in PAGE


def test_all_cases_are_there() -> None:
    assert [case["number"] for case in CASES] == list(range(1, 173))
    assert not [case for case in CASES if ("ours" in case) != ("improved" in case)]
    assert f"Asked {len(CASES)} questions" in PAGE
