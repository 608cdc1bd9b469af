"""Jitsu's clients and API: one message to a request, batches, the pixel."""

import base64
import json
from typing import Any

import pytest

from schemas.limits import Limits
from tests.collector.client import Answered, Client, MemoryLog, edge
from tests.collector.test_pixel import shown

KEY = {"X-Write-Key": "id:secret", "Content-Type": "application/json"}
TRACK = {"type": "track", "event": "Bought", "userId": "u1", "messageId": "j1", "writeKey": "id:***"}


def post(client: Client, path: str, body: object, headers: dict[str, str] | None = None, query: str = "") -> Answered:
    answered = client.request("POST", path, json.dumps(body).encode(), KEY if headers is None else headers, query=query)
    assert answered is not None
    return answered


@pytest.mark.parametrize("start", ["/api/s", "/api/s/s2s"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("track", "track"),
        ("t", "track"),
        ("page", "page"),
        ("i", "identify"),
        ("identify", "identify"),
        ("s", "screen"),
    ],
)
def test_the_type_is_in_the_path(client: Client, log: MemoryLog, start: str, name: str, kind: str) -> None:
    answered = post(client, f"{start}/{name}", {**TRACK, "type": "something"})
    assert (answered.status, answered.body) == (200, b'{"ok":true}')
    assert (log.messages[0]["type"], log.items[0].source) == (kind, "web")
    assert "writeKey" not in log.messages[0]


@pytest.mark.parametrize("name", ["event", "e", "s2s/event"])
def test_or_in_the_message(client: Client, log: MemoryLog, name: str) -> None:
    assert post(client, f"/api/s/{name}", TRACK).json() == {"ok": True}
    assert log.messages[0]["type"] == "track"


def test_a_key_that_is_masked_is_no_key(client: Client) -> None:
    answered = post(client, "/api/s/track", TRACK, {})
    assert (answered.status, answered.json()["code"]) == (401, "missing_write_key")
    assert answered.json()["ok"] is False


def test_a_key_that_is_not_masked_is_taken_where_there_is_no_other(client: Client, log: MemoryLog) -> None:
    assert post(client, "/api/s/track", {**TRACK, "writeKey": "id:secret"}, {}).status == 200
    assert post(client, "/api/s/track", {**TRACK, "messageId": "j2"}, {}, "writekey=id:secret").status == 200
    assert len(log.messages) == 2


@pytest.mark.parametrize("body", [[], "a", 1, None])
def test_what_is_no_message_is_refused_in_its_words(client: Client, body: object) -> None:
    answered = post(client, "/api/s/track", body)
    assert (answered.status, answered.json()["ok"], answered.json()["code"]) == (400, False, "not_an_object")


def test_a_message_that_breaks_a_rule_is_named(client: Client, log: MemoryLog) -> None:
    answered = post(client, "/api/s/track", {"userId": "u1"})
    assert (answered.status, answered.json()["ok"]) == (400, False)
    assert answered.json()["violations"][0]["path"] == "event"
    assert log.refusals[0].path == "/api/s/track"


@pytest.mark.parametrize("path", ["/api/s/s2s/batch", "/api/s/batch"])
def test_a_batch_is_counted(client: Client, log: MemoryLog, path: str) -> None:
    bad = {"type": "track", "userId": "u1", "messageId": "j3"}
    answered = post(client, path, {"batch": [TRACK, bad], "context": {"ip": "203.0.113.7"}})
    told = answered.json()
    assert (answered.status, told["ok"], told["receivedEvents"], told["okEvents"]) == (200, False, 2, 1)
    assert [error.startswith("message 1 (j3): ") for error in told["errors"]] == [True]
    assert log.messages[0]["context"] == {"ip": "203.0.113.7"}
    good = post(client, path, {"batch": [TRACK]})
    assert good.json() == {"ok": True, "receivedEvents": 1, "okEvents": 1, "errors": []}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"batch": []}, "empty_batch"),
        ({"batch": 1}, "batch_not_array"),
        ({"batch": [{}] * 2_501}, "too_many_messages"),
        ({"batch": [{}] * 1_000, "context": {"a": "x" * 9_000}}, "payload_too_large"),
    ],
)
def test_a_batch_that_is_none_is_refused(client: Client, body: Any, code: str) -> None:
    answered = post(client, "/api/s/batch", body)
    assert (answered.status, answered.json()["code"]) == (400, code)


def test_a_batch_is_held_against_the_configured_limits(log: MemoryLog) -> None:
    strict = edge(log, limits=Limits(batch_messages=2))
    answered = post(strict, "/api/s/batch", {"batch": [{}] * 3})
    assert (answered.status, answered.json()["code"]) == (400, "too_many_messages")


def test_the_pixel_takes_padded_base64_and_parameters_with_dots(client: Client, log: MemoryLog) -> None:
    whole = base64.b64encode(json.dumps({**TRACK, "writeKey": "id:secret"}).encode()).decode()
    data = whole.replace("+", "%2B").replace("=", "%3D")
    shown(client, "/api/px/track", f"data={data}&properties.price=7&redirect=https%3A%2F%2Felsewhere.example")
    (message,) = log.messages
    assert (message["type"], message["messageId"], message["properties"]) == ("track", "j1", {"price": "7"})
    assert "elsewhere" not in json.dumps(message)


@pytest.mark.parametrize("name", ["event", "e"])
def test_the_pixel_may_name_its_type_too(client: Client, log: MemoryLog, name: str) -> None:
    shown(client, f"/api/px/{name}", "writekey=id:secret&type=track&event=E&userId=u1")
    assert (log.messages[0]["type"], "writekey" in log.messages[0]) == ("track", False)


@pytest.mark.parametrize(
    "query", ["", "data=%21", "writekey=nobody&event=E", "redirect=https%3A%2F%2Felsewhere.example"]
)
def test_the_pixel_is_shown_whatever_came_and_leads_nowhere(client: Client, log: MemoryLog, query: str) -> None:
    shown(client, "/api/px/track", query)
    assert log.messages == []
