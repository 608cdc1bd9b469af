"""The pixel takes a message from a query, and answers by an image whatever became of it."""

import base64
import json

import pytest

from collector.dialects.pixel import SHOWN
from tests.collector.client import Client, MemoryLog, edge

TRACK = {"writeKey": "wk_web", "userId": "u1", "event": "Email Opened", "properties": {"subject": "Hi ~?"}}
URL_SAFE = base64.urlsafe_b64encode(json.dumps(TRACK).encode()).decode()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def client(log: MemoryLog) -> Client:
    return edge(log)


def shown(client: Client, path: str, query: str) -> None:
    answered = client.request("GET", path, query=query)
    assert answered is not None
    assert (answered.status, answered.headers["content-type"], answered.body) == (
        200,
        "image/gif",
        SHOWN.body["body"],
    )


@pytest.mark.parametrize(
    "data",
    [
        URL_SAFE.rstrip("="),
        URL_SAFE.replace("=", "%3D"),
        base64.b64encode(json.dumps(TRACK).encode()).decode().replace("+", "%2B"),
        base64.b64encode(json.dumps(TRACK).encode()).decode(),
        json.dumps(TRACK).replace(" ", "%20").replace("~", "%7E").replace("?", "%3F"),
    ],
)
def test_a_message_may_be_written_in_every_way_that_clients_know(client: Client, log: MemoryLog, data: str) -> None:
    shown(client, "/v1/pixel/track", f"data={data}")
    (message,) = log.messages
    assert (message["type"], message["userId"], message["properties"]) == ("track", "u1", {"subject": "Hi ~?"})
    assert "writeKey" not in message


def test_parameters_with_dots_are_members_of_members(client: Client, log: MemoryLog) -> None:
    shown(client, "/v1/pixel/track", "writeKey=wk_web&userId=u1&event=E&properties.subject=Hi%20you&properties.a.b=1")
    (message,) = log.messages
    assert message["properties"] == {"subject": "Hi you", "a": {"b": "1"}}


@pytest.mark.parametrize("query", ["", "data=%21", "data=e30", "writeKey=nobody&userId=u1&event=E", "writeKey=wk_web"])
def test_what_is_no_message_shows_the_image_too(client: Client, log: MemoryLog, query: str) -> None:
    shown(client, "/v1/pixel/track", query)
    assert log.messages == []


def test_a_message_that_breaks_a_rule_is_kept(client: Client, log: MemoryLog) -> None:
    shown(client, "/v1/pixel/track", "writeKey=wk_web&userId=u1")
    (refusal,) = log.refusals
    assert (refusal.path, refusal.violations[0].path) == ("/v1/pixel/track", "event")


def seen(log: MemoryLog, query: str, headers: dict[str, str], *, method: str = "GET", peer: str = "10.0.0.1") -> None:
    client = edge(log, trusted=["10.0.0.0/8"])
    answered = client.request(method, "/v1/pixel/track", headers=headers, query=query, peer=peer)
    assert answered is not None
    assert (answered.status, answered.headers["cache-control"]) == (200, "no-store")
    assert answered.headers["content-type"] == "image/gif"


MAIL = {"User-Agent": "Mail/1.0 (reader)", "X-Forwarded-For": "203.0.113.7"}


def test_the_reader_is_known_by_address_and_user_agent(log: MemoryLog) -> None:
    seen(log, f"data={URL_SAFE}", MAIL)
    (message,) = log.messages
    assert message["context"] == {"ip": "203.0.113.7", "userAgent": "Mail/1.0 (reader)"}


def test_unless_the_message_says_otherwise(log: MemoryLog) -> None:
    seen(log, "writeKey=wk_web&userId=u1&event=E&context.ip=0.0.0.0&context.userAgent=mine", MAIL)
    (message,) = log.messages
    assert message["context"] == {"ip": "0.0.0.0", "userAgent": "mine"}  # noqa: S104  # says nothing; not listened on


def test_a_user_agent_in_another_encoding_does_no_harm(log: MemoryLog) -> None:
    seen(log, f"data={URL_SAFE}", {"User-Agent": "Kühl\ud83d".encode("utf-8", "replace").decode()})
    assert log.messages[0]["context"]["userAgent"] == "Kühl?"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_only_a_get_tells_anything(log: MemoryLog, method: str) -> None:
    seen(log, f"data={URL_SAFE}", {}, method=method)
    assert log.puts == 0


@pytest.mark.parametrize(
    "query",
    ["writeKey=wk_web&userId=J%FCrgen&event=E", "data=%FF%FE", "data=" + "A" * 5, "&".join(["a=b"] * 5_000), "=&=&&"],
)
def test_a_query_that_cannot_be_read_shows_the_image_too(log: MemoryLog, query: str) -> None:
    seen(log, query, {})
    assert log.messages == []
