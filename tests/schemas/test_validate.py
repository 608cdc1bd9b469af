"""The compiled validator and the one that words the errors agree, and the words are right."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import catalog
from schemas.errors import Violation
from schemas.validate import is_valid, violations
from tests.schemas import strategies

CHECKED = (*catalog.KINDS, "batch")


@given(strategies.messages(), st.sampled_from(CHECKED))
@settings(max_examples=400)
def test_both_validators_agree_on_messages_that_are_nearly_right(message: dict[str, Any], kind: str) -> None:
    assert is_valid(message, kind) == (violations(message, kind) == ())


@given(st.lists(st.one_of(strategies.messages(), strategies.values), max_size=3), strategies.values)
def test_both_validators_agree_on_batches(messages: list[Any], context: object) -> None:
    batch = {"batch": messages, "context": context}
    assert is_valid(batch, "batch") == (violations(batch, "batch") == ())


@given(strategies.values, st.sampled_from(CHECKED))
def test_both_validators_agree_on_any_json(value: object, kind: str) -> None:
    assert is_valid(value, kind) == (violations(value, kind) == ())


USER = {"userId": "u1"}
TRACK = {"userId": "u1", "event": "Clicked"}
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("identify", USER),
    ("identify", {"anonymousId": "a1", "userId": None}),
    ("identify", {"anonymousId": 42, "userId": ""}),
    ("identify", {"userId": 10**400}),
    ("identify", USER | {"traits": None}),
    ("identify", USER | {"traits": []}),
    ("track", TRACK),
    ("track", TRACK | {"type": "track", "properties": {"a": [{}]}, "context": "x", "integrations": 5}),
    ("track", TRACK | {"messageId": "\U0001f600" * 100}),
    ("track", TRACK | {"messageId": {"any": "thing"}}),
    ("page", USER | {"name": None, "category": ""}),
    ("screen", USER | {"name": "Home"}),
    ("group", USER | {"groupId": 0}),
    ("group", {"groupId": "g1", "context": {"operations": [{"op": "upsert"}]}}),
    ("identify", USER | {"context": {"operations": [{"op": "increment", "trait": "visits.total", "by": -2}]}}),
    ("alias", USER | {"previousId": "a1"}),
    ("alias", USER | {"anonymousId": "a1"}),
    ("batch", {"batch": [TRACK | {"type": "track"}], "sentAt": 5}),
]


@pytest.mark.parametrize(("kind", "message"), GOOD)
def test_a_message_that_the_spec_allows_is_valid(kind: str, message: dict[str, Any]) -> None:
    assert violations(message, kind) == ()
    assert is_valid(message, kind)


NOBODY = "no_user_anon_id"
OTHER = "schema_violation"
INCREMENT = {"op": "increment", "trait": "a.b", "by": 1}
BAD: list[tuple[str, Any, list[tuple[str, str, str, str]]]] = [
    ("identify", {}, [("", "anyOf", "sent with neither", NOBODY)]),
    ("page", {"userId": "", "anonymousId": None}, [("", "anyOf", "sent with neither", NOBODY)]),
    ("identify", {"userId": True}, [("userId", "type", "a boolean", "id_not_string")]),
    ("identify", USER | {"anonymousId": {}}, [("anonymousId", "type", "an object", "id_not_string")]),
    ("identify", USER | {"traits": "x"}, [("traits", "type", "a string", "traits_not_object")]),
    ("identify", USER | {"traits": [1]}, [("traits", "maxItems", "a list", "traits_not_object")]),
    ("track", USER, [("event", "required", "nothing", "event_not_defined")]),
    ("track", TRACK | {"event": None}, [("event", "type", "null", "event_not_defined")]),
    ("track", TRACK | {"event": ""}, [("event", "minLength", "an empty string", "event_not_defined")]),
    ("track", TRACK | {"event": 5}, [("event", "type", "a number", "event_not_string")]),
    ("track", TRACK | {"properties": 5}, [("properties", "type", "a number", "properties_not_object")]),
    ("group", {"groupId": "g1", "context": {"operations": []}}, [("", "anyOf", "sent with neither", NOBODY)]),
    *(
        ("identify", USER | {"context": {"operations": said}}, [(f"context.operations{path}", rule, found, OTHER)])
        for said, path, rule, found in [
            ("upsert", "", "type", "a string"),
            ([{"op": "upsert"}] * 101, "", "maxItems", "101 of them"),
            ([1], ".0", "type", "a number"),
            ([{}], ".0.op", "required", "nothing"),
            ([{"op": "multiply"}], ".0.op", "enum", "another string"),
            ([INCREMENT, {"op": "increment", "trait": "a"}], ".1.by", "required", "nothing"),
            ([INCREMENT | {"by": 0.0}], ".0.by", "not", "a number"),
            ([INCREMENT | {"by": "2"}], ".0.by", "type", "a string"),
            ([INCREMENT | {"trait": "a..b"}], ".0.trait", "pattern", "another string"),
            ([INCREMENT | {"trait": 5}], ".0.trait", "type", "a number"),
        ]
    ),
    ("track", TRACK | {"type": "page"}, [("type", "const", "another string", "schema_violation")]),
    (
        "track",
        TRACK | {"messageId": "\U0001f600" * 101},
        [("messageId", "maxLength", "101 characters long", "schema_violation")],
    ),
    ("page", USER | {"name": 5}, [("name", "type", "a number", "name_not_string")]),
    ("screen", USER | {"category": []}, [("category", "type", "an empty list", "category_not_string")]),
    ("group", USER, [("groupId", "required", "nothing", "id_required")]),
    ("group", USER | {"groupId": ""}, [("groupId", "minLength", "an empty string", "id_required")]),
    ("group", USER | {"groupId": []}, [("groupId", "type", "an empty list", "id_not_string")]),
    ("alias", USER, [("previousId", "required", "nothing", "id_required")]),
    ("alias", USER | {"previousId": True}, [("previousId", "type", "a boolean", "id_not_string")]),
    ("alias", {"previousId": "a1"}, [("userId", "required", "nothing", "id_required")]),
    ("track", [], [("", "type", "an empty list", "schema_violation")]),
    ("batch", {}, [("batch", "required", "nothing", "schema_violation")]),
    ("batch", {"batch": []}, [("batch", "minItems", "an empty list", "empty_batch")]),
    ("batch", {"batch": "x"}, [("batch", "type", "a string", "schema_violation")]),
    ("batch", {"batch": [USER]}, [("batch.0.type", "required", "nothing", "schema_violation")]),
    ("batch", {"batch": [{"type": "delete"}]}, [("batch.0.type", "enum", "another string", "schema_violation")]),
    ("batch", {"batch": [TRACK | {"type": "alias"}]}, [("batch.0.previousId", "required", "nothing", "id_required")]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "expected"), BAD)
def test_a_violation_names_place_rule_and_code(
    kind: str, message: object, expected: list[tuple[str, str, str, str]]
) -> None:
    found = violations(message, kind)
    assert [(one.path, one.rule, one.found, one.code) for one in found] == expected
    assert not is_valid(message, kind)


def test_several_violations_come_together_and_the_message_as_a_whole_first() -> None:
    found = violations({"event": 5, "properties": True}, "track")
    assert [one.path for one in found] == ["", "event", "properties"]


NEITHER = (
    "The message should be sent with a userId or an anonymousId (a non-empty string or a number), "
    "but it is sent with neither."
)


@pytest.mark.parametrize(
    ("kind", "message", "sentence"),
    [
        ("track", USER, '"event" is missing: it should be a non-empty string.'),
        ("identify", USER | {"traits": 5}, '"traits" should be an object or null, but it is a number.'),
        ("identify", {"userId": []}, '"userId" should be a string, a number or null, but it is an empty list.'),
        (
            "identify",
            {},
            NEITHER,
        ),
    ],
)
def test_a_violation_is_one_sentence_for_a_person(kind: str, message: dict[str, Any], sentence: str) -> None:
    assert violations(message, kind)[0].sentence() == sentence


@given(strategies.messages())
def test_no_violation_tells_what_the_client_sent(message: dict[str, Any]) -> None:
    secret = "s3cret-value"
    telling = dict.fromkeys(message, secret) | {"messageId": secret * 20}
    for kind in catalog.KINDS:
        assert secret not in " ".join(one.sentence() for one in violations(telling, kind))


@pytest.mark.parametrize("name", catalog.names())
def test_each_schema_is_a_schema(name: str) -> None:
    schema = catalog.schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"/schemas/{name}.json"


def test_a_schema_that_was_handed_out_can_be_changed_without_harm() -> None:
    catalog.schema("track").clear()
    assert catalog.schema("track")["title"] == "track"
    assert b'"title": "track"' in catalog.text("track")


def test_a_deeply_nested_value_does_not_upset_the_compiled_validator() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    assert is_valid(TRACK | {"properties": {"deep": deep}}, "track")
    assert not is_valid(TRACK | {"properties": deep}, "track")


def test_a_violation_without_a_code_of_segments_has_a_general_one() -> None:
    assert Violation("type", "enum", "one of these", "another").code == "schema_violation"
