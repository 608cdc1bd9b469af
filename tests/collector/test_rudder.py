"""What RudderStack's clients may ask for beyond Segment's API."""

from typing import Any

import pytest

from tests.collector.client import Client, MemoryLog, basic
from tests.collector.test_pixel import shown

USER = {"type": "user_id", "value": "u1"}
ANONYMOUS = {"type": "anonymousId", "value": "a1"}
EMAIL = {"type": "email", "value": "ada@example.com"}
MOBILE = {"type": "mobile", "value": 4179}


def merge(*pair: object, **more: object) -> dict[str, object]:
    return {"type": "merge", "messageId": "m1", "mergeProperties": list(pair), **more}


def external(identity: dict[str, Any]) -> dict[str, str]:
    return {"id": str(identity["value"]), "type": identity["type"], "collection": "users", "encoding": "none"}


@pytest.mark.parametrize(
    ("pair", "user", "previous"),
    [
        ((USER, ANONYMOUS), "u1", "a1"),
        ((ANONYMOUS, USER), "u1", "a1"),
        ((USER, {"type": "userId", "value": "u0"}), "u1", "u0"),
        (({"type": "userId", "value": "u0"}, USER), "u0", "u1"),
    ],
)
def test_a_merge_with_a_user_id_is_an_alias(
    client: Client, log: MemoryLog, pair: tuple[object, ...], user: str, previous: str
) -> None:
    assert client.post("/v1/merge", merge(*pair)).json() == {"success": True}
    (message,) = log.messages
    assert (message["type"], message["userId"], message["previousId"]) == ("alias", user, previous)
    assert "mergeProperties" not in message


@pytest.mark.parametrize(
    ("body", "who", "others"),
    [
        (merge(USER, EMAIL), {"userId": "u1"}, [EMAIL]),
        (merge(EMAIL, ANONYMOUS), {"anonymousId": "a1"}, [EMAIL]),
        (merge(EMAIL, MOBILE, userId="u9"), {"userId": "u9"}, [EMAIL, MOBILE]),
        (
            merge(ANONYMOUS, {"type": "anonymousId", "value": "a2"}),
            {"anonymousId": "a1"},
            [{"type": "anonymousId", "value": "a2"}],
        ),
    ],
)
def test_another_merge_is_an_identify_with_external_ids(
    client: Client, log: MemoryLog, body: object, who: dict[str, str], others: list[dict[str, Any]]
) -> None:
    assert client.post("/v1/merge/", body).status == 200
    (message,) = log.messages
    assert message["type"] == "identify"
    assert {name: message[name] for name in ("userId", "anonymousId") if name in message} == who
    assert message["context"]["externalIds"] == [external(one) for one in others]


def test_external_ids_that_were_there_stay(client: Client, log: MemoryLog) -> None:
    known = external({"type": "crm", "value": 7})
    client.post("/v1/merge", merge(USER, EMAIL, context={"externalIds": [known], "locale": "de"}))
    assert log.messages[0]["context"] == {"externalIds": [known, external(EMAIL)], "locale": "de"}


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"type": "merge"}, "mergeProperties", "bad_merge"),
        (merge(USER), "mergeProperties", "bad_merge"),
        (merge(USER, USER), "mergeProperties", "bad_merge"),
        (merge(USER, "u2"), "mergeProperties[1]", "bad_merge"),
        (merge({"value": "u1"}, USER), "mergeProperties[0].type", "bad_merge"),
        (merge(USER, {"type": "email", "value": ""}), "mergeProperties[1].value", "bad_merge"),
        (merge(EMAIL, MOBILE), "mergeProperties", "merge_of_nobody"),
    ],
)
def test_a_merge_that_names_no_two_is_refused_and_kept(
    client: Client, log: MemoryLog, body: object, path: str, code: str
) -> None:
    answered = client.post("/v1/merge", body)
    assert (answered.status, answered.json()["code"]) == (400, code)
    assert answered.json()["violations"][0]["path"] == path
    assert len(log.refusals) == 1


@pytest.mark.parametrize("path", ["/sourceConfig/", "/sourceConfig"])
def test_the_browser_sdk_is_told_its_source(client: Client, log: MemoryLog, path: str) -> None:
    answered = client.request("GET", path, headers={**basic("wk_web"), "Origin": "https://a.example"})
    assert answered is not None
    source = answered.json()["source"]
    assert (answered.status, source["id"], source["enabled"], source["destinations"]) == (200, "web", True, [])
    off = {"enabled": False}
    assert source["config"] == {"statsCollection": {"errors": off, "metrics": off}}
    assert answered.headers["access-control-allow-origin"] == "https://a.example"
    assert log.puts == 0


def test_a_key_that_is_none_is_told_to_the_browser_sdk_as_such(client: Client) -> None:
    assert client.get("/sourceConfig/", basic("nobody")).status == 401
    assert client.get("/sourceConfig/").status == 401


def test_what_a_page_sends_as_it_closes_needs_no_header(client: Client, log: MemoryLog) -> None:
    batch = b'{"batch":[{"type":"page","anonymousId":"a1","messageId":"b1"}]}'
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://a.example"}
    answered = client.request("POST", "/beacon/v1/batch", batch, headers, query="writeKey=wk_web")
    assert answered is not None
    assert (answered.status, log.messages[0]["messageId"]) == (200, "b1")


def test_the_pixel_takes_quotes_from_the_anonymous_id(client: Client, log: MemoryLog) -> None:
    query = "writeKey=wk_web&anonymousId=%22a1%22&event=Opened&properties.mail.id=7&context.locale=de"
    shown(client, "/pixel/v1/track", query)
    (message,) = log.messages
    assert (message["type"], message["anonymousId"], message["event"]) == ("track", "a1", "Opened")
    assert message["properties"] == {"mail": {"id": "7"}}


@pytest.mark.parametrize("traits", [{}, {"traits": {}}, {"traits": None}])
def test_traits_of_an_identify_may_stand_in_its_context(
    client: Client, log: MemoryLog, traits: dict[str, object]
) -> None:
    client.post("/v1/identify", {"userId": "u1", "context": {"traits": {"FIRST_NAME": "Ada"}}, **traits})
    (message,) = log.messages
    assert (message["traits"], message["context"]["traits"]) == ({"firstName": "Ada"}, {"firstName": "Ada"})
    assert message["_turnout"]["notes"] == [{"path": "traits", "rule": "from_context"}]


def test_traits_of_an_identify_go_before_those_in_its_context(client: Client, log: MemoryLog) -> None:
    client.post("/v1/identify", {"userId": "u1", "traits": {"a": 1}, "context": {"traits": {"b": 2}}})
    assert (log.messages[0]["traits"], "_turnout" in log.messages[0]) == ({"a": 1}, False)
