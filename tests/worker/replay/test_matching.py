"""A selection wants what all its members agree on; a replayed message says that it is one."""

from typing import Any

import msgspec
import pytest

from worker.replay.errors import BadTime
from worker.replay.marking import marked
from worker.replay.matching import Matcher
from worker.replay.selection import Selection
from worker.replay.when import point


def message(**members: Any) -> bytes:
    at = "2026-02-28T12:00:00.000Z"
    return msgspec.json.encode(
        {"type": "track", "event": "Paid", "messageId": "m1", "userId": "u1", "receivedAt": at, "properties": {"n": 1}}
        | members
    )


def wants(body: bytes, **members: Any) -> bool:
    return Matcher(Selection(**members)).wants(body)


def test_a_selection_that_says_nothing_wants_everything() -> None:
    assert wants(message())


@pytest.mark.parametrize(
    "members",
    [
        {"types": ("identify", "track")},
        {"events": ("Paid",)},
        {"users": ("u2", "u1")},
        {"message_ids": ("m1",)},
        {"since": "2026-02-28T12:00:00.000Z", "until": "2026-02-28T12:00:00.001Z"},
        {"where": "properties.n == 1"},
        {"types": ("track",), "events": ("Paid",), "users": ("u1",), "where": "properties.n < 2"},
    ],
)
def test_a_message_that_agrees_is_wanted(members: dict[str, Any]) -> None:
    assert wants(message(), **members)


@pytest.mark.parametrize(
    "members",
    [
        {"types": ("identify",)},
        {"events": ("paid",)},
        {"users": ("u",)},
        {"message_ids": ("m",)},
        {"since": "2026-02-28T12:00:00.001Z"},
        {"until": "2026-02-28T12:00:00.000Z"},
        {"where": "properties.n == 2"},
        {"types": ("track",), "users": ("u2",)},
    ],
)
def test_a_message_that_disagrees_in_one_member_is_not(members: dict[str, Any]) -> None:
    assert not wants(message(), **members)


def test_the_words_are_looked_for_in_their_place_only() -> None:
    body = message(userId="u9", properties={"type": "page", "event": "Paid", "user": "u1", "id": "m1"}, event="Other")
    assert not wants(body, events=("Paid",))
    assert not wants(body, users=("u1",))
    assert not wants(body, types=("page",))


def test_names_with_signs_of_their_own_are_found() -> None:
    name = 'a "quoted" \\ käse \u2028 \x07'
    assert wants(message(event=name), events=(name,))
    assert wants(message(userId=None, anonymousId=name), users=(name,))


def test_a_message_gets_the_mark_of_its_replay() -> None:
    body = message()
    assert msgspec.json.decode(marked(body, "r5f3a")) == msgspec.json.decode(body) | {"_turnout": {"replay": "r5f3a"}}


def test_the_mark_keeps_what_the_message_says_of_itself() -> None:
    body = message(_turnout={"notes": [{"path": "x", "rule": "y"}], "replay": "r0000"})
    expected = {"notes": [{"path": "x", "rule": "y"}], "replay": "r5f3a"}
    assert msgspec.json.decode(marked(body, "r5f3a"))["_turnout"] == expected


def test_a_member_of_that_name_deeper_down_is_not_mistaken_for_the_mark() -> None:
    body = message(properties={"_turnout": {"replay": "x"}})
    found = msgspec.json.decode(marked(body, "r5f3a"))
    assert found["_turnout"] == {"replay": "r5f3a"}
    assert found["properties"] == {"_turnout": {"replay": "x"}}


def test_marking_leaves_numbers_as_they_were_written() -> None:
    body = b'{"messageId":"m1","properties":{"a":1e2,"b":12345678901234567890123},"_turnout":{"notes":[]}}'
    assert b'{"a":1e2,"b":12345678901234567890123}' in marked(body, "r5f3a")


NOON = 1_772_280_000_000  # 2026-02-28T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-28", "2026-02-28T00:00:00.000Z"),
        ("2026-02-28T14:00+02:00", "2026-02-28T12:00:00.000Z"),
        ("2h", "2026-02-28T10:00:00.000Z"),
        ("3d", "2026-02-25T12:00:00.000Z"),
        ("90min", "2026-02-28T10:30:00.000Z"),
        ("now", "2026-02-28T12:00:00.000Z"),
        ("today", "2026-02-28T00:00:00.000Z"),
        ("yesterday", "2026-02-27T00:00:00.000Z"),
    ],
)
def test_times_are_read_as_people_type_them(text: str, expected: str) -> None:
    assert point(text, NOON) == expected


@pytest.mark.parametrize("text", ["", "tomorrowish", "2x", "2026-02-30", "h"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        point(text, NOON)
