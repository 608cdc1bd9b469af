"""Whatever JSON a message is made of: reading it never fails, changes nothing, and depends on nothing else."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import arrival
from schemas.limits import Limits
from schemas.normalise import normalise
from schemas.readers.find import find
from schemas.readers.reader import of
from schemas.readers.values import amount_of, count_of, label_of, number_of, text_of
from tests.schemas.readers.everything import answers
from tests.schemas.strategies import dates, messages, texts, traits, values

amounts = st.one_of(values, st.from_regex(r"\A[-$€ ]{0,2}[0-9,.]{0,8}(e[0-9]{1,3})?( ?EUR|€)?\Z"))
properties = st.dictionaries(
    st.sampled_from([
        "revenue", "Revenue", "total", "subtotal", "tax", "shipping", "discount", "currency", "quantity", "value", "id",
        "order_id", "products", "price", "coupon", "email", "address", "city", "$price", "",
    ]),
    st.one_of(amounts, st.lists(st.dictionaries(st.sampled_from(["sku", "Price", "quantity"]), amounts), max_size=2)),
)  # fmt: skip
events = st.one_of(values, st.sampled_from(["Order Completed", "completed_order", "Clicked"]))
shaped = st.fixed_dictionaries({
    "type": st.sampled_from(["identify", "track", "page", "screen", "group", "alias"]),
    "timestamp": dates,
    "traits": st.one_of(traits, values),
    "properties": st.one_of(properties, values),
    "context": st.one_of(values, st.fixed_dictionaries({"traits": traits, "library": values, "device": values})),
    "event": events,
})  # fmt: skip
anything = st.one_of(shaped, messages(), st.dictionaries(texts, values))


@given(anything)
@settings(max_examples=60, deadline=None)
def test_reading_never_fails_and_changes_nothing(message: dict[str, Any]) -> None:
    before = msgspec.json.encode(message)
    first = msgspec.json.encode(answers(message))
    assert msgspec.json.encode(answers(message)) == first
    assert msgspec.json.encode(message) == before


@given(anything, texts, st.dictionaries(texts, texts, max_size=3))
@settings(max_examples=50, deadline=None)
def test_paths_and_names_may_be_anything(message: dict[str, Any], path: str, names: dict[str, str]) -> None:
    reader = of(message)
    find(message, path)
    for first in ("", "traits.", "properties.", "context."):
        reader.path(first + path)
    reader.options(path)
    msgspec.json.encode([reader.user.renamed(names), reader.group.renamed(names), reader.order.renamed(names)])


@given(st.fixed_dictionaries({"type": st.sampled_from(["identify", "group"]), "traits": traits}))
@settings(max_examples=50, deadline=None)
def test_a_message_reads_the_same_before_and_after_it_is_normalised(message: dict[str, Any]) -> None:
    message |= {"userId": "u1", "groupId": "g1", "messageId": "m1", "timestamp": "2024-05-06T12:00:00.000Z"}
    before = read(message)
    assert read(normalise(message, arrival(1_714_996_800_000), str, Limits())) == before


def read(message: dict[str, Any]) -> dict[str, Any]:
    """All answers but those that are the traits themselves."""
    return {name: said for name, said in answers(message).items() if not name.endswith("traits")}


@given(amounts)
@settings(max_examples=50, deadline=None)
def test_what_was_read_reads_the_same_again(value: object) -> None:
    for reading in (text_of, label_of, number_of, amount_of, count_of):
        once: object = reading(value)
        assert reading(once) == once


@pytest.fixture(params=["Pacific/Kiritimati", "America/New_York"])
def far_away(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_time_zone_of_the_machine_does_not_matter(far_away: None) -> None:
    message = {
        "type": "identify",
        "timestamp": "2024-06-15T23:30:00Z",
        "traits": {"birthday": "1990-06-16", "createdAt": "2014-01-01 00:30", "company": {"created": 1_403_743_443}},
    }
    user = of(message).user
    texts = [date.text() for date in (user.birthday, user.created, user.company_created) if date]
    assert texts == ["1990-06-16", "2014-01-01T00:30:00.000Z", "2014-06-26T00:44:03.000Z"]
    assert user.age == 33
