"""Messages of version 1 of the spec come out as messages of today."""

from typing import Any

import pytest

from schemas.arrival import arrival
from schemas.limits import Limits
from schemas.normalise import normalise

SET_BY_US = {"messageId", "originalTimestamp", "receivedAt", "timestamp"}


def settled(message: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
    found = normalise(message, arrival(0, kind=kind), lambda: "m1", Limits())
    return {name: value for name, value in found.items() if name not in SET_BY_US}


def context(**members: Any) -> Any:
    return settled({"type": "page", "userId": "u1", "context": members})["context"]


def test_an_old_message_is_read_as_one_of_today() -> None:
    old = {
        "action": "Track",
        "event": "Clicked",
        "sessionId": "s1",
        "user_id": 7,
        "options": {"library": "analytics-ios", "library-version": "0.4", "providers": {"All": False}, "x": 1},
    }
    assert settled(old) == {
        "type": "track",
        "event": "Clicked",
        "anonymousId": "s1",
        "userId": "7",
        "context": {"library": {"name": "analytics-ios", "version": "0.4"}, "x": 1},
        "integrations": {"All": False},
    }


def test_a_name_of_today_wins_and_the_old_one_stays() -> None:
    both = {
        "type": "page",
        "action": "Track",
        "userId": "u1",
        "user_id": "old",
        "anonymousId": "a1",
        "sessionId": "old",
        "context": {"a": 1},
        "options": {"b": 2},
    }
    assert settled(dict(both)) == both


def test_providers_stay_where_integrations_are_said() -> None:
    old = {"type": "page", "userId": "u1", "options": {"providers": {"A": True}}, "integrations": {"B": True}}
    assert settled(old) == {
        "type": "page",
        "userId": "u1",
        "context": {"providers": {"A": True}},
        "integrations": {"B": True},
    }


@pytest.mark.parametrize("odd", [True, [], {}, "", None])
def test_an_old_member_that_is_no_id_stays(odd: object) -> None:
    message = {"type": "page", "userId": "u1", "sessionId": odd, "user_id": odd}
    assert settled(dict(message)) == message | {"context": {}}


@pytest.mark.parametrize("odd", ["Jump", 5, None])
def test_an_action_that_is_no_type_stays(odd: object) -> None:
    assert settled({"userId": "u1", "action": odd}, kind="page")["action"] == odd


def test_options_and_providers_take_the_place_of_what_is_no_object() -> None:
    odd = {"type": "page", "userId": "u1", "options": {"providers": {"A": True}}, "context": "x", "integrations": 0}
    found = settled(odd)
    assert (found["context"], found["integrations"]) == ({}, {"A": True})
    assert [note["was"] for note in found["_turnout"]["notes"]] == ["x", 0]


def test_options_that_are_no_object_stay() -> None:
    assert settled({"type": "page", "userId": "u1", "options": "x"})["options"] == "x"


def test_old_members_of_the_context_move_to_their_places() -> None:
    assert context(
        user_agent="ua", screenWidth=1, screenHeight=2, appReleaseVersion="1.2", appVersion="34", deviceModel="m",
        deviceManufacturer="n", idForAdvertiser="i", osVersion="9", os={"name": "iOS"},
    ) == {
        "userAgent": "ua",
        "screen": {"width": 1, "height": 2},
        "app": {"version": "1.2", "build": "34"},
        "device": {"model": "m", "manufacturer": "n", "idfa": "i"},
        "os": {"name": "iOS", "version": "9"},
    }  # fmt: skip


def test_old_members_of_the_context_stay_where_their_place_is_taken() -> None:
    taken = {"user_agent": "old", "userAgent": "new", "osVersion": "old", "os": {"version": "new"}, "appVersion": 1}
    assert context(**taken, app="shop") == taken | {"app": "shop"}
