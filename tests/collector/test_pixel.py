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
