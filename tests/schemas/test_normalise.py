"""A message as it was sent becomes the message as it was meant, and nothing is lost on the way."""

import copy
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrival import Arrival, arrival
from schemas.errors import Invalid, Violation
from schemas.limits import Limits
from schemas.message import decode_head, decode_message, identity, identity_of
from schemas.normalise import normalise
from schemas.wording import SOME_KIND
from tests.schemas import strategies

NOON = 1_714_996_800_000
RECEIVED = "2024-05-06T12:00:00.000Z"
LIMITS = Limits()


def new_id() -> str:
    return "new-id"


def settled(message: dict[str, Any], came: Arrival | None = None, limits: Limits = LIMITS) -> dict[str, Any]:
    return normalise(copy.deepcopy(message), came or arrival(NOON), new_id, limits)


def refusal(message: dict[str, Any], came: Arrival | None = None, limits: Limits = LIMITS) -> tuple[Violation, ...]:
    with pytest.raises(Invalid) as caught:
        settled(message, came, limits)
    return caught.value.violations


def notes(message: dict[str, Any], came: Arrival | None = None) -> Any:
    return settled(message, came).get("_turnout", {}).get("notes")


TRACK = {"type": "track", "event": "Clicked", "userId": "u1"}
STAMPS = {"originalTimestamp": RECEIVED, "receivedAt": RECEIVED, "timestamp": RECEIVED}


def test_a_bare_message_gets_an_id_a_context_and_times() -> None:
    assert settled(TRACK) == TRACK | STAMPS | {"messageId": "new-id", "context": {}}


def test_an_ordinary_message_keeps_all_it_says_but_the_write_key() -> None:
    said = TRACK | {
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2024-05-06T11:59:58.000Z",
        "sentAt": "2024-05-06T11:59:59.000Z",
        "properties": {"price": 9.5, "Total Billed": None, "when": "2024-05-06T12:00:00+02:00", "tags": []},
        "context": {"library": {"name": "analytics.js", "version": "1"}, "ip": "10.0.0.1", "custom": {"a.b": [1]}},
        "integrations": {"All": False, "Mixpanel": {"x": 1}},
        "_metadata": {"bundled": []},
        "channel": "browser",
        "version": "1.1",
    }
    assert settled(said | {"writeKey": "wk", "receivedAt": "2001-01-01T00:00:00.000Z"}) == said | {
        "originalTimestamp": "2024-05-06T11:59:58.000Z",
        "timestamp": "2024-05-06T11:59:59.000Z",
        "receivedAt": RECEIVED,
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (42, "42"),
        (42.0, "42"),
        (2**70, str(2**70)),
        (-0.0, "0"),
        (1.5, "1.5"),
        (1e22, "1" + "0" * 22),
        (1.5e-7, "0.00000015"),
    ],
)
def test_ids_that_are_numbers_become_their_digits(number: float, text: str) -> None:
    group = {"type": "group", "userId": number, "anonymousId": number, "groupId": number, "messageId": number}
    found = settled(group)
    assert [found[name] for name in ("userId", "anonymousId", "groupId", "messageId")] == [text] * 4


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_the_empty_string_are_no_ids(absent: object) -> None:
    found = settled(TRACK | {"anonymousId": absent, "groupId": absent, "previousId": absent, "messageId": absent})
    assert not {"anonymousId", "groupId", "previousId"} & found.keys()
    assert found["messageId"] == "new-id"
    assert "_turnout" not in found


@pytest.mark.parametrize("odd", [True, [], {}, ["m1"]])
def test_a_message_id_of_another_type_is_replaced(odd: object) -> None:
    found = settled(TRACK | {"messageId": odd})
    assert found["messageId"] == "new-id"
    assert found["_turnout"]["notes"] == [{"path": "messageId", "rule": "replaced", "was": odd}]


def test_a_message_id_may_have_100_characters_of_any_kind() -> None:
    assert settled(TRACK | {"messageId": "\U0001f600" * 100})["messageId"] == "\U0001f600" * 100
    assert [one.path for one in refusal(TRACK | {"messageId": "x" * 101})] == ["messageId"]
    (violation,) = refusal(TRACK | {"messageId": 10**100})
    assert (violation.rule, violation.found) == ("maxLength", "101 characters long")


def test_the_limit_for_message_ids_can_be_lowered() -> None:
    (violation,) = refusal(TRACK | {"messageId": "x" * 51}, limits=Limits(message_id_chars=50))
    assert violation.expected == "at most 50 characters long"


@pytest.mark.parametrize(("kind", "member"), [("track", "properties"), ("identify", "traits"), ("page", "properties")])
@pytest.mark.parametrize("empty", [None, []])
def test_null_and_the_empty_array_are_empty_objects(kind: str, member: str, empty: object) -> None:
    assert settled(TRACK | {"type": kind, member: empty})[member] == {}


def test_the_empty_arrays_of_php_become_objects_where_the_spec_has_objects() -> None:
    said = TRACK | {"integrations": [], "context": {"page": [], "traits": [], "custom": [], "externalIds": []}}
    found = settled(said)
    assert found["integrations"] == {}
    assert found["context"] == {"page": {}, "traits": {}, "custom": [], "externalIds": []}
    assert settled(TRACK | {"context": []})["context"] == {}
    assert "_turnout" not in found


@pytest.mark.parametrize("odd", ["x", 5, True, [1]])
@pytest.mark.parametrize("member", ["context", "integrations"])
def test_a_context_that_is_no_object_is_an_empty_one_and_noted(member: str, odd: object) -> None:
    assert settled(TRACK | {member: odd})[member] == {}
    assert notes(TRACK | {member: odd}) == [{"path": member, "rule": "not_an_object", "was": odd}]
    came = arrival(NOON, **{member: odd})  # type: ignore[arg-type]  # any value on purpose
    assert notes(TRACK, came) == [{"path": member, "rule": "not_an_object", "was": odd}]


def test_integrations_are_there_only_when_they_were_sent() -> None:
    assert "integrations" not in settled(TRACK | {"integrations": None})
    assert settled(TRACK | {"integrations": {}})["integrations"] == {}
    assert settled(TRACK, arrival(NOON, integrations={"All": False}))["integrations"] == {"All": False}


def test_names_and_categories_of_pages_that_are_empty_are_absent() -> None:
    page = {"type": "page", "userId": "u1", "name": "", "category": None}
    assert not {"name", "category"} & settled(page).keys()
    assert settled(page | {"type": "screen", "name": "Home"})["name"] == "Home"
    assert settled(TRACK | {"name": ""})["name"] == ""


def test_traits_are_settled_in_identify_in_group_and_in_the_context() -> None:
    traits = {"created_at": "2024-05-06", "EMPLOYEES": 5, "First Name": "A", "total billed": None}
    of_user = {"createdAt": "2024-05-06", "EMPLOYEES": 5, "firstName": "A", "total billed": None}
    of_group = {"createdAt": "2024-05-06", "employees": 5, "First Name": "A", "total billed": None}
    assert settled({"type": "identify", "userId": "u1", "traits": traits})["traits"] == of_user
    group = settled({"type": "group", "userId": "u1", "groupId": 7, "traits": traits, "context": {"traits": traits}})
    assert (group["traits"], group["context"]["traits"]) == (of_group, of_user)
    assert settled(TRACK | {"context": {"traits": traits}, "properties": traits})["properties"] == traits
    assert settled({"type": "group", "userId": "u1", "groupId": 7, "traits": None})["traits"] == {}


def test_the_type_comes_from_the_path() -> None:
    came = arrival(NOON, kind="page")
    assert settled({"userId": "u1"}, came)["type"] == "page"
    assert settled({"userId": "u1", "type": ""}, came)["type"] == "page"
    assert notes({"userId": "u1", "type": "page"}, came) is None
    assert settled(TRACK, came)["type"] == "page"
    assert notes(TRACK, came) == [{"path": "type", "rule": "path_wins", "was": "track"}]


@pytest.mark.parametrize(
    ("said", "rule", "found"),
    [
        ({}, "required", "nothing"),
        ({"type": "delete"}, "enum", "delete, which is only ever sent outwards"),
        ({"type": "Track"}, "enum", "another string"),
        ({"type": ""}, "enum", "an empty string"),
        ({"type": None}, "enum", "null"),
        ({"type": ["track"]}, "enum", "a list"),
    ],
)
def test_a_message_of_a_batch_has_to_say_its_type(said: dict[str, Any], rule: str, found: str) -> None:
    assert refusal({"userId": "u1"} | said) == (Violation("type", rule, SOME_KIND, found),)


def test_what_the_batch_says_lies_under_what_the_message_says() -> None:
    came = arrival(
        NOON,
        context={
            "library": {"name": "go", "version": "3"},
            "app": {"name": "shop", "build": 1},
            "traits": {"created_at": "2020-01-01", "plan": "a"},
            "user_agent": "batch",
            "tags": [1, 2],
            "locale": "de",
        },
        integrations={"All": False, "Mixpanel": {"a": 1, "b": 1}},
    )
    said = TRACK | {
        "context": {
            "library": {"name": "mine"},
            "app": {"build": 2},
            "traits": {"createdAt": None},
            "userAgent": "mine",
            "tags": [3],
            "locale": None,
        },
        "integrations": {"Mixpanel": {"b": 2}},
    }
    found = settled(said, came)
    assert found["context"] == {
        "library": {"name": "mine"},
        "app": {"name": "shop", "build": 2},
        "traits": {"createdAt": None, "plan": "a"},
        "userAgent": "mine",
        "tags": [3],
        "locale": None,
    }
    assert found["integrations"] == {"All": False, "Mixpanel": {"a": 1, "b": 2}}
    assert settled(TRACK, came)["context"]["library"] == {"name": "go", "version": "3"}


def test_a_batch_and_a_message_that_spell_one_trait_in_three_ways_are_settled_together() -> None:
    came = arrival(NOON, context={"traits": {"Email": "a", "EMAIL": "b"}, "os": {"version": 1}, "osVersion": 2})
    found = settled(TRACK | {"context": {"traits": {"email": None}, "os": {"version": None}}}, came)
    assert found["context"] == {"traits": {"email": "b"}, "os": {"version": 2}}


def test_the_ids_of_an_alias_come_from_where_they_are() -> None:
    def ids(**members: object) -> tuple[object, object]:
        found = settled({"type": "alias", **members})
        return found["previousId"], found["userId"]

    assert ids(previousId="a1", userId="u1") == ("a1", "u1")
    assert ids(**{"from": 1, "to": 2}) == ("1", "2")
    assert ids(previousId="", userId=None, **{"from": "a1", "to": "u1"}) == ("a1", "u1")
    assert ids(anonymousId="a1", userId="u1") == ("a1", "u1")
    assert ids(anonymousId="x", previousId="a1", userId="u1") == ("a1", "u1")
    assert [one.path for one in refusal({"type": "alias", "to": "u1", "from": True})] == ["previousId"]
    assert settled(TRACK | {"from": "x", "to": "y"})["from"] == "x"


def test_a_note_is_written_once_and_beside_what_is_already_there() -> None:
    said = TRACK | {"context": 5, "_turnout": {"notes": ["mine"], "more": 1}}
    found = settled(settled(said))
    note = {"path": "context", "rule": "not_an_object", "was": 5}
    assert found["_turnout"] == {"notes": ["mine", note], "more": 1}


@pytest.mark.parametrize("odd", ["mine", {"notes": 5}, []])
def test_a_member_in_the_place_of_the_notes_is_kept_in_a_note(odd: object) -> None:
    found = settled(TRACK | {"context": 5, "_turnout": odd})
    assert found["_turnout"]["notes"][0] == {"path": "_turnout", "rule": "replaced", "was": odd}
    assert settled(TRACK | {"_turnout": odd})["_turnout"] == odd


arrivals = st.builds(
    arrival,
    st.just(NOON),
    kind=st.one_of(st.none(), strategies.kinds),
    sent_at=strategies.dates,
    context=st.one_of(st.none(), strategies.contexts, strategies.values),
    integrations=st.one_of(st.none(), strategies.integrations, strategies.values),
)


def attempted(message: dict[str, Any], came: Arrival) -> dict[str, Any] | None:
    try:
        return settled(message, came)
    except Invalid:
        return None


@given(strategies.messages(), arrivals)
@settings(max_examples=200)
def test_normalising_again_changes_nothing_but_the_time_of_receipt(message: dict[str, Any], came: Arrival) -> None:
    once = attempted(message, came)
    if once is not None:
        later = arrival(NOON + 86_400_000, sent_at="2020-01-01T00:00:00.000Z")
        assert settled(once, later) == once | {"receivedAt": later.received_at}
        assert settled(once, came) == once


@given(st.dictionaries(strategies.texts, strategies.values), arrivals)
def test_any_object_is_either_normalised_or_refused(message: dict[str, Any], came: Arrival) -> None:
    attempted(message, came)


@given(strategies.messages(), arrivals)
@settings(max_examples=200)
def test_what_comes_out_can_be_stored_and_opened(message: dict[str, Any], came: Arrival) -> None:
    found = attempted(message, came)
    if found is not None:
        body = msgspec.json.encode(found)
        assert msgspec.json.decode(body) == found
        assert b"\n" not in body
        assert identity(decode_head(body)) == identity(decode_message(body)) == identity_of(found) != ""


@given(strategies.messages(), arrivals)
def test_a_request_is_the_same_for_each_of_its_messages(message: dict[str, Any], came: Arrival) -> None:
    before = copy.deepcopy(came)
    attempted(message, came)
    assert came == before


def marked(value: Any, marks: list[str]) -> Any:
    """The value with every text, number and boolean in it replaced by a text of its own."""
    match value:
        case dict():
            return {key: marked(inner, marks) for key, inner in value.items()}
        case list():
            return [marked(inner, marks) for inner in value]
        case None | "":
            return value
        case _:
            marks.append(f"mark-{len(marks)}-")
            return marks[-1]


REPLACED = {"writeKey", "receivedAt", "type"}


@given(strategies.messages(), st.one_of(st.none(), strategies.kinds))
@settings(max_examples=200)
def test_nothing_that_a_client_says_is_lost(message: dict[str, Any], kind: str | None) -> None:
    marks: list[str] = []
    said = {name: value if name in REPLACED else marked(value, marks) for name, value in message.items()}
    found = attempted(said, arrival(NOON, kind=kind))
    if found is not None:
        kept = msgspec.json.encode(found).decode()
        assert [mark for mark in marks if mark not in kept] == []


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(inner, chance) for inner in value]
    if not isinstance(value, dict):
        return value
    names = list(value)
    chance.shuffle(names)
    return {name: shuffled(value[name], chance) for name in names}


ONE_SPELLING = st.fixed_dictionaries(
    {},
    optional={
        "created_at": strategies.dates,
        "Email": strategies.values,
        "plan": strategies.values,
        "company": st.fixed_dictionaries({}, optional={"employeeCount": strategies.scalars, "x": strategies.values}),
    },
)


@given(strategies.messages(), ONE_SPELLING, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter_while_each_name_is_there_once(
    message: dict[str, Any], traits: dict[str, Any], chance: random.Random
) -> None:
    said = message | {"context": {"traits": traits}, "traits": copy.deepcopy(traits)}
    assert attempted(shuffled(said, chance), arrival(NOON)) == attempted(said, arrival(NOON))


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    assert os.environ.get("TZ") != "Pacific/Kiritimati"
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_the_zone_of_the_machine_does_not_matter() -> None:
    assert time.timezone == -14 * 3600
    found = settled(
        {"type": "identify", "userId": "u1", "timestamp": "2024-05-06 11:00", "traits": {"birthday": "19900102"}}
    )
    assert found["timestamp"] == "2024-05-06T11:00:00.000Z"
    assert found["traits"]["birthday"] == "1990-01-02"


def test_contexts_nested_as_deep_as_may_be_are_merged() -> None:
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    assert (
        normalise(TRACK | {"context": deep}, arrival(NOON, context={"a": deep["a"], "b": 1}), new_id, LIMITS)[
            "context"
        ]["b"]
        == 1
    )
