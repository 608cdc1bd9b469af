"""What is known of users and groups is told in the shapes of Segment's Profile API."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from collector.profiles.asked import cursor_text
from collector.profiles.desk import Desk, Where
from destinations.sql.url import DatabaseUrl
from tests.collector.client import Client
from tests.collector.profiles.people import BASE, Given, all_pages, ask, asking, told
from worker.config import Config
from worker.database.engine import url_of

ANN = {
    "type": "identify",
    "userId": "ann",
    "anonymousId": "phone",
    "traits": {"email": "ann@example.com", "firstName": "Ann", "plan": None, "address": {"city": "Ulm"}},
}
ACME = {"type": "group", "userId": "ann", "groupId": "acme", "traits": {"name": "Acme", "employees": 329}}
AT = "2023-11-15T11:00:0{}.000Z"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody who may ask about ann and acme, for questions that leave all as it is."""
    given = Given(tmp_path_factory.mktemp("known"))
    given.say(ANN, ACME)
    yield given.api()
    given.close()


def test_the_traits_of_a_user_are_told_by_any_of_its_ids(given: Given, api: Client) -> None:
    given.say(ANN)
    for identifier in ("user_id:ann", "anonymous_id:phone", "email:ann@example.com", "email:ann%40example.com"):
        path = f"users/profiles/{identifier}/traits"
        assert told(api, path) == {
            "traits": {"address": {"city": "Ulm"}, "email": "ann@example.com", "firstName": "Ann", "plan": None},
            "cursor": {"url": f"{BASE}/{path}".replace("%40", "@"), "has_more": False, "next": "", "limit": 10},
        }


def test_the_traits_of_a_group_are_told(given: Given, api: Client) -> None:
    given.say(ACME)
    assert told(api, "accounts/profiles/group_id:acme/traits")["traits"] == {"name": "Acme", "employees": 329}


def test_verbose_traits_say_when_and_where_each_was_said(given: Given, api: Client) -> None:
    given.say(ANN)
    given.say({"type": "identify", "userId": "ann", "traits": {"firstName": "Anna"}}, source="app")
    found = told(api, "users/profiles/user_id:ann/traits", "verbose=true&include=firstName,email")["traits"]
    assert found == {
        "email": {"value": "ann@example.com", "source_id": "web", "updated_at": AT.format(1)},
        "firstName": {"value": "Anna", "source_id": "app", "updated_at": AT.format(2)},
    }


@pytest.mark.parametrize("spelled", ["firstName", "first_name", "FIRST-NAME", "first%20name", "first+name"])
def test_traits_are_asked_for_in_any_spelling(known: Client, spelled: str) -> None:
    path = "users/profiles/user_id:ann/traits"
    assert told(known, path, f"include=nothing,{spelled}")["traits"] == {"firstName": "Ann"}


def test_traits_come_page_by_page(given: Given, api: Client) -> None:
    names = [f"t{number:03d}" for number in range(25)]
    given.say({"type": "identify", "userId": "ann", "traits": dict.fromkeys(names, 1)})
    pages = all_pages(api, "users/profiles/user_id:ann/traits", "limit=10", "traits")
    assert [list(page) for page in pages] == [names[:10], names[10:20], names[20:]]
    assert len(told(api, "users/profiles/user_id:ann/traits")["traits"]) == 10
    assert len(told(api, "users/profiles/user_id:ann/traits", "limit=200")["traits"]) == 25


def test_there_are_no_audiences_and_computed_traits(known: Client) -> None:
    for one in ("audience", "computed_trait"):
        assert told(known, "users/profiles/user_id:ann/traits", f"class={one}")["traits"] == {}


def test_the_external_ids_of_a_user_are_told(given: Given, api: Client) -> None:
    given.say(ANN)
    given.say({"type": "identify", "userId": "ann", "anonymousId": "tablet"}, source="app")
    path = "users/profiles/user_id:ann/external_ids"
    found = told(api, path)
    own = {"source_id": "web", "collection": "users", "created_at": AT.format(1), "encoding": "none"}
    assert found["data"][0] == {**own, "id": "ann", "type": "user_id", "first_message_id": "m1"}
    assert [(one["type"], one["id"]) for one in found["data"]] == [
        ("user_id", "ann"),
        ("anonymous_id", "phone"),
        ("anonymous_id", "tablet"),
        ("email", "ann@example.com"),
    ]
    assert found["cursor"]["limit"] == 25
    assert [one["id"] for one in told(api, path, "include=email,user_id")["data"]] == ["ann", "ann@example.com"]
    assert [[one["id"] for one in page] for page in all_pages(api, path, "limit=3")] == [
        ["ann", "phone", "tablet"],
        ["ann@example.com"],
    ]


def test_metadata_say_what_was_said_first_and_last(given: Given, api: Client) -> None:
    given.say({"type": "identify", "userId": "ann", "traits": {"plan": "free"}})
    given.say({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}}, source="app")
    assert told(api, "users/profiles/user_id:ann/metadata") == {
        "metadata": {
            "created_at": AT.format(1),
            "updated_at": AT.format(2),
            "expires_at": None,
            "first_message_id": "m1",
            "first_source_id": "web",
            "last_message_id": "m2",
            "last_source_id": "app",
        }
    }


def test_of_events_no_more_than_the_hour_is_known(given: Given, api: Client) -> None:
    given.say({"type": "track", "userId": "ann", "event": "E"})
    found = told(api, "users/profiles/user_id:ann/metadata")["metadata"]
    assert (found["created_at"], found["first_message_id"]) == (AT.format(0), None)


def test_the_groups_of_a_user_are_told(given: Given, api: Client) -> None:
    given.say(ANN, ACME, {"type": "group", "anonymousId": "phone", "groupId": "beta"})
    found = told(api, "users/profiles/email:ann@example.com/links")
    acme = {
        "id": "acme",
        "type": "group_id",
        "source_id": "web",
        "collection": "accounts",
        "created_at": AT.format(2),
        "encoding": "none",
    }
    assert found["data"][0] == {"to_collection": "accounts", "external_ids": [acme], "updated_at": AT.format(2)}
    assert [one["external_ids"][0]["id"] for one in found["data"]] == ["acme", "beta"]
    assert found["cursor"]["limit"] == 20
    pages = all_pages(api, "users/profiles/user_id:ann/links", "limit=1")
    assert [page[0]["external_ids"][0]["id"] for page in pages] == ["acme", "beta"]


def test_the_members_of_a_group_are_told_each_once(given: Given, api: Client) -> None:
    given.say(ANN, ACME, {"type": "group", "anonymousId": "phone", "groupId": "acme"})
    given.say(*({"type": "group", "userId": f"u{number}", "groupId": "acme"} for number in range(9)))
    given.say({"type": "group", "anonymousId": "stranger", "groupId": "acme"})
    for limit in (1, 2, 3, 20):
        pages = all_pages(api, "accounts/profiles/group_id:acme/links", f"limit={limit}")
        found = [one["external_ids"][0]["id"] for page in pages for one in page]
        assert sorted(found) == ["ann", "stranger", *(f"u{number}" for number in range(9))]
        assert all(len(page) == limit for page in pages[:-1])
        assert {one["to_collection"] for one in pages[0]} == {"users"}


def test_refused_joins_are_told(given: Given, api: Client) -> None:
    given.say(ANN, {"type": "identify", "userId": "ben", "anonymousId": "phone"})
    [found] = told(api, "users/profiles/user_id:ann/conflicts")["data"]
    assert found == {
        "type": "anonymous_id",
        "id": "phone",
        "claimed_user_id": "ben",
        "why": "identify",
        "created_at": AT.format(2),
        "first_message_id": "m2",
    }


def test_users_and_groups_are_listed_and_searched(given: Given, api: Client) -> None:
    given.say(ANN, ACME)
    given.say(
        *({"type": "identify", "userId": f"u{number}", "traits": {"name": f"No {number}"}} for number in range(5))
    )
    given.say({"type": "track", "anonymousId": "stranger", "event": "E"})

    def ids(path: str, query: str) -> list[list[str]]:
        return [[one["external_ids"][0]["id"] for one in page] for page in all_pages(api, path, query)]

    assert ids("users/profiles", "limit=4") == [["ann", "u0", "u1", "u2"], ["u3", "u4"]]
    assert ids("users/profiles", "prefix=u") == [["u0", "u1", "u2", "u3", "u4"]]
    assert ids("users/profiles", "email=ann%40example.com") == [["ann"]]
    assert ids("users/profiles", "name=NO+3") == [["u3"]]
    assert ids("users/profiles", "anonymous=true") == [["stranger"]]
    assert ids("accounts/profiles", "") == [["acme"]]
    [ann] = told(api, "users/profiles", "prefix=ann")["data"]
    assert ann["collection"] == "users"
    assert ann["metadata"]["last_message_id"] == "m1"
    assert [one["type"] for one in ann["external_ids"]] == ["user_id", "anonymous_id", "email"]


def test_ids_of_any_kind_can_be_asked_for(given: Given, api: Client) -> None:
    ids = ["a/b", "a/traits", "+49 170", "a:b", "50%", "über", "traits", "a%2Fb"]
    given.say(*({"type": "identify", "userId": one, "traits": {"a": one}} for one in ids))
    for one in ids:
        assert told(api, f"users/profiles/user_id:{quote(one, safe='')}/traits")["traits"] == {"a": one}
    assert told(api, "users/profiles/user_id:a/b/traits")["traits"] == {"a": "a/b"}


@pytest.mark.parametrize(
    "path",
    [
        "users/profiles/user_id:nobody/traits",
        "users/profiles/group_id:acme/traits",
        "accounts/profiles/user_id:ann/traits",
        "users/profiles/phone:1/events",
        "users/profiles/user_id:a%00b/metadata",
    ],
)
def test_who_is_not_known_is_not_found(known: Client, path: str) -> None:
    answered = ask(known, path)
    assert answered.status == 404
    assert answered.json() == {"error": {"code": "not_found", "message": "Profile was not found."}}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("users/profiles/ann/traits", ""),
        ("users/profiles/user_id:/traits", ""),
        ("users/profiles/User_Id:ann/traits", ""),
        ("users/profiles/user_id:ann/traits", "limit=0"),
        ("users/profiles/user_id:ann/traits", "limit=201"),
        ("users/profiles/user_id:ann/traits", "limit=ten"),
        ("users/profiles/user_id:ann/traits", "verbose=perhaps"),
        ("users/profiles/user_id:ann/traits", "class=odd"),
        ("users/profiles/user_id:ann/traits", "next=!"),
        ("users/profiles/user_id:ann/traits", f"next={cursor_text(7)}"),
        ("users/profiles/user_id:ann/links", f"next={cursor_text(-1)}"),
        ("accounts/profiles/group_id:acme/links", f"next={cursor_text(1 << 63)}"),
        ("users/profiles/user_id:ann/events", "sort=up"),
        ("users/profiles/user_id:ann/events", "type=track,odd"),
        ("users/profiles/user_id:ann/events", "start=then"),
        ("users/profiles/user_id:ann/events", f"next={cursor_text(['a'])}"),
        ("users/profiles", "limit=101"),
        ("users/profiles", "&".join(f"a{number}=1" for number in range(101))),
    ],
)
def test_a_question_that_cannot_be_understood_is_told_so(known: Client, path: str, query: str) -> None:
    answered = ask(known, path, query)
    assert (answered.status, answered.json()["error"]["code"]) == (400, "validation_error")


def test_other_collections_and_spaces_are_not_found(given: Given) -> None:
    given.say(ANN)
    client = given.api(space="shop")
    assert ask(client, "users/profiles/user_id:ann/traits").json()["error"]["message"] == "There is no such space."
    ours = client.get("/v1/spaces/shop/collections/users/profiles/user_id:ann/metadata")
    assert ours.status == 401
    assert ask(given.api(), "people/profiles/user_id:ann/traits").status == 404


def test_without_profiles_nobody_is_found() -> None:
    answered = ask(asking(Desk(Where())), "users/profiles/user_id:ann/traits")
    assert answered.json() == {"error": {"code": "not_found", "message": "No destination keeps profiles here."}}


def test_while_the_database_is_away_it_is_worth_trying_later(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    away = Where(DatabaseUrl.of_file(tmp_path / "file" / "profiles.db"))
    answered = ask(asking(Desk(away)), "users/profiles/user_id:ann/traits")
    assert (answered.status, answered.json()["error"]["code"]) == (503, "unavailable")
    assert answered.headers["retry-after"] == "5"


@pytest.fixture
def on_both(database_config: Config, tmp_path: Path) -> Iterator[Given]:
    """Once of each kind of database."""
    given = Given(tmp_path, url_of(database_config))
    yield given
    given.close()


def test_postgresql_answers_the_same(on_both: Given) -> None:
    on_both.say(ANN, ACME, {"type": "identify", "userId": "ben", "anonymousId": "phone"})
    api = on_both.api()
    assert told(api, "users/profiles/email:ann@example.com/traits")["traits"]["firstName"] == "Ann"
    assert len(told(api, "users/profiles/user_id:ann/external_ids")["data"]) == 3
    assert len(told(api, "accounts/profiles/group_id:acme/links")["data"]) == 1
    assert len(told(api, "users/profiles/user_id:ann/links")["data"]) == 1
    assert len(told(api, "users/profiles/user_id:ben/conflicts")["data"]) == 1
    assert len(told(api, "users/profiles", "prefix=a")["data"]) == 1
    assert ask(api, "users/profiles/user_id:a%00b/metadata").status == 404
    assert told(api, "users/profiles", "prefix=a%00b")["data"] == []
