"""What a destination gets of a message, and whether it is to get it at all."""

from typing import Any

import msgspec
import pytest

from schemas.arrival import arrival
from schemas.envelope import Envelope, decode_head
from schemas.integrations import Choice, Disabled, Enabled, allows, choice
from schemas.limits import Limits
from schemas.message import Alias, Group, Identify, Page, Screen, Track, identity, identity_of
from schemas.normalise import normalise


def envelope(**message: Any) -> Envelope:
    body = msgspec.json.encode(normalise(message, arrival(0), lambda: "m1", Limits()))
    return Envelope(source="web", body=body, head=decode_head(body), lane="p07", position="1-0/0")


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}, Identify),
        ({"type": "track", "userId": "u1", "event": "Clicked"}, Track),
        ({"type": "page", "userId": "u1", "name": "Home"}, Page),
        ({"type": "screen", "userId": "u1", "category": "Shop"}, Screen),
        ({"type": "group", "userId": "u1", "groupId": 7}, Group),
        ({"type": "alias", "userId": "u1", "previousId": "a1"}, Alias),
    ],
)
def test_an_envelope_opens_to_a_message_of_its_type(message: dict[str, Any], shape: type) -> None:
    found = envelope(**message)
    opened = found.open()
    assert type(opened) is shape
    assert (opened.message_id, opened.user_id, opened.timestamp) == ("m1", "u1", "1970-01-01T00:00:00.000Z")
    assert (found.head.type, found.head.message_id, found.head.user_id) == (message["type"], "m1", "u1")
    assert found.json()["type"] == message["type"]
    assert found.attempt == 1


def test_a_typed_message_has_the_members_of_its_type() -> None:
    match envelope(type="group", anonymousId="a1", groupId=7, traits={"Plan": "pro"}, integrations={}).open():
        case Group(group_id=group, traits=traits, integrations=integrations, context=context):
            assert (group, traits, integrations, context) == ("7", {"plan": "pro"}, {}, {})
        case _:
            pytest.fail("not a group")


def test_a_member_that_is_another_thing_in_another_type_does_no_harm() -> None:
    found = envelope(type="identify", userId="u1", event=5, name=[], properties="x")
    assert found.head.event == 5
    assert type(found.open()) is Identify


def test_the_identity_is_the_user_else_the_anonymous_visitor_else_the_group() -> None:
    assert identity(envelope(type="page", userId="u1", anonymousId="a1").head) == "u1"
    assert identity(envelope(type="page", anonymousId="a1").open()) == "a1"
    lone = {"type": "group", "messageId": "m", "timestamp": "t", "receivedAt": "r", "groupId": "g1"}
    assert identity(decode_head(msgspec.json.encode(lone))) == identity_of(lone) == "g1"
    assert identity_of({}) == ""


CHOICES: list[tuple[dict[str, Any] | None, Choice]] = [
    (None, Enabled()),
    ({}, Enabled()),
    ({"All": True}, Enabled()),
    ({"All": False}, Disabled("All")),
    ({"all": False}, Disabled("all")),
    ({" ALL ": False}, Disabled(" ALL ")),
    ({"all": False, "All": True}, Enabled()),
    ({"all": True, "ALL": False}, Enabled()),
    ({"All": "false"}, Enabled()),
    ({"Mixpanel": False}, Disabled("Mixpanel")),
    ({"mixpanel": False}, Enabled()),
    ({"All": False, "Mixpanel": True}, Enabled()),
    ({"All": False, "Mixpanel": {"x": 1}}, Enabled({"x": 1})),
    ({"All": False, "Mixpanel": {}}, Enabled()),
    ({"All": False, "Mixpanel": None}, Disabled("All")),
    ({"All": False, "Mixpanel": "true"}, Disabled("All")),
    ({"All": False, "Mixpanel": 1}, Disabled("All")),
    ({"Mixpanel": 0}, Enabled()),
]


@pytest.mark.parametrize(("integrations", "expected"), CHOICES)
def test_integrations_decide(integrations: dict[str, Any] | None, expected: Choice) -> None:
    assert choice(integrations, "Mixpanel") == expected
    assert allows(integrations, "Mixpanel") == isinstance(expected, Enabled)


def test_salesforce_has_to_be_named() -> None:
    assert choice({"All": True}, "Salesforce") == choice(None, "Salesforce") == Disabled("Salesforce")
    assert choice({"Salesforce": True}, "Salesforce") == Enabled()
