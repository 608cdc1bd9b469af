"""The last events of a user and of a group are told, newest first, from the archive."""

import shutil
from typing import Any

import pytest

from collector.profiles import desk
from destinations.archive import people
from destinations.archive.layout import Slot
from destinations.profiles.node import Node
from tests.collector.client import Client
from tests.collector.profiles.people import Given, all_pages, ask, told
from tests.destinations.test_archive_people import age
from worker.keys import partition_of
from worker.stories.people import narrowed

USER = "users/profiles/user_id:ann/events"
GROUP = "accounts/profiles/group_id:acme/events"


def track(event: str, user: str = "ann", **members: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": event, "properties": {"n": 1}, **members}


def visit(event: str, visitor: str, **members: Any) -> dict[str, Any]:
    return {"type": "track", "anonymousId": visitor, "event": event, **members}


def names(client: Client, path: str, query: str = "") -> list[str]:
    return [one["event"] or one["type"] for one in told(client, path, query)["data"]]


def test_an_event_is_told_as_it_was_sent(given: Given, api: Client) -> None:
    given.say(track("Song Played", anonymousId="phone", context={"groupId": "acme", "ip": "192.0.2.1"}))
    found = told(api, USER)
    assert found["data"] == [
        {
            "type": "track",
            "message_id": "m1",
            "source_id": "web",
            "timestamp": "2023-11-15T11:00:01.000Z",
            "received_at": "2023-11-15T11:00:01.000Z",
            "event": "Song Played",
            "properties": {"n": 1},
            "context": {"groupId": "acme", "ip": "192.0.2.1"},
            "external_ids": [
                {"collection": "users", "type": "anonymous_id", "id": "phone", "encoding": "none"},
                {"collection": "accounts", "type": "group_id", "id": "acme", "encoding": "none"},
                {"collection": "users", "type": "user_id", "id": "ann", "encoding": "none"},
            ],
            "related": {"users": "user_id:ann"},
        }
    ]
    assert found["cursor"]["limit"] == 100


def test_other_types_of_message_bring_what_is_theirs(given: Given, api: Client) -> None:
    given.say({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    given.say({"type": "page", "userId": "ann", "name": "Home", "category": "Shop"})
    given.say({"type": "group", "userId": "ann", "groupId": "acme", "traits": {"name": "Acme"}})
    given.say({"type": "alias", "userId": "ann", "previousId": "old"})
    alias, group, page, identify = told(api, USER)["data"]
    assert (alias["previous_id"], group["group_id"], group["traits"]) == ("old", "acme", {"name": "Acme"})
    assert (page["event"], page["category"], identify["traits"]) == ("Home", "Shop", {"plan": "pro"})
    assert identify["event"] is None


def test_the_newest_come_first_from_all_ids_and_sources(given: Given, api: Client) -> None:
    given.say(visit("Before", "phone"), {"type": "identify", "userId": "ann", "anonymousId": "phone"})
    given.say(track("Later"), source="app")
    given.say(visit("Elsewhere", "phone"))
    assert names(api, USER) == ["Elsewhere", "Later", "identify", "Before"]
    assert names(api, "users/profiles/anonymous_id:phone/events") == ["Elsewhere", "Later", "identify", "Before"]
    assert names(api, USER, "sort=asc") == ["Before", "identify", "Later", "Elsewhere"]


def test_what_another_user_does_on_the_same_phone_is_that_users(given: Given, api: Client) -> None:
    given.say({"type": "identify", "userId": "ann", "anonymousId": "phone"})
    given.say(track("Bought", user="ben", anonymousId="phone"))
    assert names(api, USER) == ["identify"]
    assert names(api, "users/profiles/user_id:ben/events") == ["Bought"]


def test_a_group_has_the_events_that_name_it(given: Given, api: Client) -> None:
    given.say({"type": "group", "userId": "ann", "groupId": "acme"}, track("Alone"))
    given.say(track("One", context={"groupId": "acme"}), track("Two", user="ben", context={"groups": ["x", "acme"]}))
    found = told(api, GROUP)["data"]
    assert [one["event"] for one in found] == ["Two", "One", None]
    assert found[0]["related"] == {"accounts": "group_id:acme", "users": "user_id:ben"}


def test_events_come_page_by_page(given: Given, api: Client) -> None:
    given.say(*(track(f"E{number}", user="ann" if number % 3 else "ben") for number in range(30)))
    pages = all_pages(api, USER, "limit=7")
    expected = [f"E{number}" for number in reversed(range(30)) if number % 3]
    assert [[one["event"] for one in page] for page in pages] == [expected[:7], expected[7:14], expected[14:]]


def test_events_are_chosen_by_name_type_and_time(given: Given, api: Client) -> None:
    given.say(*(track(f"E{number}") for number in range(5)), {"type": "page", "userId": "ann", "name": "Home"})
    assert names(api, USER, "include=E1,Home") == ["Home", "E1"]
    assert names(api, USER, "exclude=E1,Home,E2") == ["E4", "E3", "E0"]
    assert names(api, USER, "type=page") == ["Home"]
    assert names(api, USER, "start=2023-11-15T11:00:02Z&end=2023-11-15T11:00:04Z") == ["E2", "E1"]


def test_two_weeks_are_looked_at_unless_somebody_asks_for_more(given: Given, api: Client) -> None:
    given.say(track("Old", timestamp="2023-10-31T12:00:00.000Z"), track("New"))
    assert names(api, USER) == ["New"]
    assert names(api, USER, "start=2023-10-01") == ["New", "Old"]


def test_without_an_archive_there_are_no_events(given: Given, api: Client) -> None:
    given.say(track("One"))
    shutil.rmtree(given.archive)
    assert told(api, USER)["data"] == []


def test_a_damaged_archive_is_told_as_trouble_of_ours(
    given: Given, api: Client, caplog: pytest.LogCaptureFixture
) -> None:
    given.say(track("One"))
    for path in given.archive.rglob("*.zst"):
        path.write_bytes(b"x" * path.stat().st_size)
    answered = ask(api, USER)
    assert (answered.status, answered.json()["error"]["code"]) == (503, "unavailable")
    assert "is damaged at byte 0" in caplog.text


def test_a_search_that_takes_long_gives_what_it_has_and_goes_on(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "BATCH", 5)
    monkeypatch.setattr(desk, "SECONDS", 0.0)
    for start in range(0, 40, 5):
        given.say(*(track(f"E{number}") for number in range(start, start + 5)))
    age(given.archive)
    pages = all_pages(given.api(), USER, "limit=30")
    assert [one["event"] for page in pages for one in page] == [f"E{number}" for number in reversed(range(40))]
    assert len(pages) > 2


@pytest.mark.parametrize("partitions", [2, 4, 8])
def test_only_files_of_the_users_partition_are_looked_at_where_their_number_is_sure(partitions: int) -> None:
    lanes = [f"p{number:02d}" for number in range(4)]
    slots = [Slot("web", "2023-11-15T11", lane) for lane in lanes]
    found = narrowed(slots, [Node("user_id", "ann")], partitions)
    if partitions == 4:
        assert [slot.lane for slot in found] == [f"p{partition_of('web', 'ann', 4):02d}"]
    else:
        assert found == slots, "there were more or fewer of them, or little came in"


def test_lanes_of_replays_are_those_of_their_partition() -> None:
    mine = partition_of("web", "ann", 4)
    slots = [Slot("web", "2023-11-15T11", f"p{number:02d}{end}") for number in range(4) for end in ("", "~r5f3a")]
    found = narrowed([*slots, Slot("app", "2023-11-15T11", "other")], [Node("user_id", "ann")], 4)
    assert [slot.lane for slot in found] == [f"p{mine:02d}", f"p{mine:02d}~r5f3a", "other"]


def test_the_events_of_somebody_with_a_very_long_id_are_found(given: Given, api: Client) -> None:
    long = "x" * 3_000
    given.say(track("One", user=long), *(track("Other", user=f"u{number}") for number in range(20)))
    assert names(api, f"users/profiles/user_id:{long}/events") == ["One"]
