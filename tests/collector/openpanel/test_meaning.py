"""What OpenPanel's payloads become."""

from typing import Any

import pytest

from tests.collector.client import NOON_WORDS
from tests.collector.openpanel.asking import BROWSER, SERVER, Asking

NODE = {"library": {"name": "node", "version": "1.3.1"}}


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_a_track_is_a_track(asking: Asking) -> None:
    payload = {"name": "Bought", "profileId": 42, "properties": {"a": 1, "big": 2**70}}
    assert asking.told("track", payload) == [
        {
            "type": "track",
            "event": "Bought",
            "userId": "42",
            "properties": {"a": 1, "big": 2**70},
            "context": NODE,
            "timestamp": NOON_WORDS,
        }
    ]


def test_the_groups_of_an_event_go_with_it(asking: Asking) -> None:
    (message,) = asking.told("track", {"name": "E", "profileId": "u1", "groups": ["g1", "g2"]})
    assert (message["context"]["groups"], message["context"]["groupId"]) == (["g1", "g2"], "g1")


@pytest.mark.parametrize("nothing", [None, []])
def test_no_groups_are_no_groups(asking: Asking, nothing: object) -> None:
    (message,) = asking.told("track", {"name": "E", "profileId": "u1", "groups": nothing, "properties": nothing})
    assert (message["context"], message["properties"]) == (NODE, {})


def test_a_track_may_bring_the_person_who_is_stored_first(asking: Asking) -> None:
    person = {"profileId": "u1", "email": "ada@example.com", "avatar": None, "properties": {"plan": "pro", "__x": 1}}
    identify, track = asking.told("track", {"name": "E", "properties": {"__identify": person, "a": 1}})
    assert (identify["type"], identify["userId"]) == ("identify", "u1")
    assert identify["traits"] == {"email": "ada@example.com", "plan": "pro"}
    assert (track["event"], track["userId"], track["properties"]) == ("E", "u1", {"a": 1})


def test_revenue_stays_the_number_that_it_is(asking: Asking) -> None:
    (message,) = asking.told("track", {"name": "revenue", "properties": {"__revenue": 4200, "currency": "SEK"}})
    assert message["properties"] == {"revenue": 4200, "currency": "SEK"}


def test_what_a_client_says_of_bots_is_stripped_and_what_we_do_not_know_is_kept(asking: Asking) -> None:
    (message,) = asking.told("track", {"name": "E", "properties": {"__bot": 1, "__botName": "x", "__other": 1}})
    assert message["properties"] == {"__other": 1}


def test_a_track_says_on_which_page_and_in_which_version_it_was(asking: Asking) -> None:
    own = {"__path": "/a", "__title": "T", "__referrer": "", "__version": "1.2", "__buildNumber": "7", "a": 1}
    (message,) = asking.told("track", {"name": "E", "properties": own})
    assert message["properties"] == {"a": 1}
    assert message["context"] == NODE | {
        "page": {"path": "/a", "title": "T"},
        "app": {"version": "1.2", "build": "7"},
    }


def test_a_screen_view_of_a_browser_is_a_page(asking: Asking) -> None:
    own = {"__path": "https://shop.example/a?b=1#c", "__title": "T", "__referrer": "https://x.example/", "a": 1}
    (message,) = asking.told("track", {"name": "screen_view", "properties": own}, BROWSER)
    page = {
        "path": "/a",
        "search": "?b=1",
        "url": "https://shop.example/a?b=1#c",
        "title": "T",
        "referrer": "https://x.example/",
    }
    assert (message["type"], message["properties"], message["context"]["page"]) == ("page", {**page, "a": 1}, page)


def test_a_screen_view_of_an_app_is_a_screen(asking: Asking) -> None:
    app = SERVER | {"openpanel-sdk-name": "react-native", "user-agent": "Shop/1"}
    (message,) = asking.told("track", {"name": "screen_view", "properties": {"__path": "/cart"}}, app)
    assert (message["type"], message["name"], message["properties"]) == ("screen", "/cart", {"path": "/cart"})
    assert message["anonymousId"]


@pytest.mark.parametrize(
    ("said", "stored", "left"),
    [
        ("2023-11-15T11:00:00Z", "2023-11-15T11:00:00.000Z", {}),
        ("2023-11-15T12:00:59Z", "2023-11-15T12:00:59.000Z", {}),
        ("2023-11-15T12:01:01Z", NOON_WORDS, {"__timestamp": "2023-11-15T12:01:01Z"}),
        ("soon", NOON_WORDS, {"__timestamp": "soon"}),
        (None, NOON_WORDS, {"__timestamp": None}),
    ],
)
def test_a_time_is_believed_unless_it_is_to_come(asking: Asking, said: object, stored: str, left: Any) -> None:
    (message,) = asking.told("track", {"name": "E", "properties": {"__timestamp": said}})
    assert (message["timestamp"], message["properties"]) == (stored, left)


def test_an_identify_sets_traits(asking: Asking) -> None:
    payload = {
        "profileId": "u1",
        "firstName": "Ada",
        "lastName": None,
        "email": "ada@example.com",
        "properties": {"tier": {"of": 2}, "email": "old", "__version": "1"},
    }
    (message,) = asking.told("identify", payload)
    traits = {"tier": {"of": 2}, "email": "ada@example.com", "firstName": "Ada"}
    assert (message["type"], message["userId"], message["traits"]) == ("identify", "u1", traits)


def test_an_alias_is_an_alias(asking: Asking) -> None:
    (message,) = asking.told("alias", {"profileId": "u1", "alias": "ada"})
    assert (message["type"], message["userId"], message["previousId"]) == ("alias", "u1", "ada")


def test_a_group_is_upserted_without_a_user(asking: Asking) -> None:
    payload = {"id": "acme", "type": "company", "name": "Acme", "properties": {"seats": 3, "name": "old"}}
    assert asking.told("group", payload, BROWSER)[0] | {"context": None} == {
        "type": "group",
        "groupId": "acme",
        "traits": {"seats": 3, "name": "Acme", "type": "company"},
        "context": None,
        "timestamp": NOON_WORDS,
    }
    assert asking.log.messages[0]["context"]["operations"] == [{"op": "upsert"}]


def test_whoever_is_assigned_joins_each_group_once(asking: Asking) -> None:
    messages = asking.told("assign_group", {"groupIds": ["g1", 2, "g1"], "profileId": "u1"})
    assert [(each["type"], each["userId"], each["groupId"]) for each in messages] == [
        ("group", "u1", "g1"),
        ("group", "u1", "2"),
    ]


def test_a_device_may_be_assigned_to_a_group(asking: Asking) -> None:
    (message,) = asking.told("assign_group", {"groupIds": ["g1"]}, BROWSER)
    assert message["anonymousId"] == asking.client.get("/track/device-id", BROWSER).json()["deviceId"]


@pytest.mark.parametrize(
    ("kind", "value", "by"),
    [("increment", 2, 2), ("increment", None, 1), ("decrement", 0.5, -0.5), ("decrement", None, -1)],
)
def test_a_number_among_the_traits_changes(asking: Asking, kind: str, value: object, by: float) -> None:
    (message,) = asking.told(kind, {"profileId": 7, "property": "visits.total", "value": value})
    assert (message["type"], message["userId"], message["traits"]) == ("identify", "7", {})
    assert message["context"]["operations"] == [{"op": "increment", "trait": "visits.total", "by": by}]


def test_a_recording_is_taken_and_leaves_nothing(asking: Asking) -> None:
    recording = {"chunk_index": 0, "events_count": 1, "is_full_snapshot": True, "payload": "[]"}
    assert asking.told("replay", recording) == []
    assert (asking.log.puts, asking.log.refusals) == (0, [])


REFUSED = [
    ("track", {}, "`name` is missing"),
    ("track", {"name": None}, "`name`: expected"),
    ("track", {"name": ""}, "`name`"),
    ("track", {"name": "session_start"}, "`name`"),
    ("track", {"name": "E", "profileId": True}, "`profileId`"),
    ("track", {"name": "E", "properties": "x"}, "`properties`"),
    ("track", {"name": "E", "properties": {"__identify": 5}}, "`__identify`"),
    ("identify", {"email": "x"}, "`profileId`"),
    ("alias", {"profileId": "u1"}, "`alias`"),
    ("group", {"id": "g1", "type": "company"}, "`name`"),
    ("group", {"type": "company", "name": "Acme"}, "`id`"),
    ("assign_group", {"groupIds": []}, "`groupIds`"),
    ("assign_group", {"groupIds": ["g1", ""]}, "`groupIds`"),
    ("assign_group", {"groupIds": list(range(101))}, "`groupIds`"),
    ("increment", {"profileId": "u1", "property": "a", "value": 0}, "`value`"),
    ("decrement", {"profileId": "u1", "property": "a", "value": -1}, "`value`"),
    ("increment", {"profileId": "u1", "property": "a", "value": "2"}, "`value`"),
    ("increment", {"profileId": "u1"}, "`property`"),
    ("increment", {"property": "a"}, "`profileId`"),
    ("delete", {}, "`type`"),
]


@pytest.mark.parametrize(("kind", "payload", "place"), REFUSED)
def test_what_breaks_a_rule_is_told_and_kept(asking: Asking, kind: str, payload: dict[str, Any], place: str) -> None:
    answered = asking.track(kind, payload)
    said = answered.json()
    assert (answered.status, said["status"], said["error"]) == (400, 400, "Bad Request")
    assert place in said["message"]
    (refusal,) = asking.log.refusals
    assert (refusal.kind, refusal.path, asking.log.items) == ("body", "/track", [])


def test_what_our_own_rules_refuse_is_told_and_kept_too(asking: Asking) -> None:
    answered = asking.track("increment", {"profileId": "u1", "property": "a..b"})
    assert (answered.status, answered.json()["violations"][0]["path"]) == (400, "context.operations.0.trait")
    assert [refusal.kind for refusal in asking.log.refusals] == ["message"]


def test_where_a_part_is_refused_the_rest_is_taken(asking: Asking) -> None:
    answered = asking.track("assign_group", {"groupIds": ["g1", "g" * 33_000], "profileId": "u1"})
    assert (answered.status, [each["code"] for each in answered.json()["rejected"]]) == (200, ["bad_request"])
    assert [message["groupId"] for message in asking.log.messages] == ["g1"]
    assert len(asking.log.refusals) == 1
