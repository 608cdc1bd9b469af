"""One message in a request of its own: what is stored, and how a bad one is refused."""

import pytest

from tests.collector.client import NOON_WORDS, Client, MemoryLog, basic


def test_a_message_is_stored_as_the_spec_means_it(client: Client, log: MemoryLog) -> None:
    message = {"userId": 7, "event": "Signed Up", "writeKey": "wk_web", "timestamp": "2023-11-15T10:00:00Z"}
    assert client.post("/v1/track", message).json() == {"success": True}
    (item,) = log.items
    assert (item.source, item.message_id, item.user) == ("web", "new-1", "7")
    stored = log.messages[0]
    assert stored["userId"] == "7"
    assert stored["receivedAt"] == NOON_WORDS
    assert stored["timestamp"] == "2023-11-15T10:00:00.000Z"
    assert "writeKey" not in stored
    assert b"\n" not in item.body


def test_the_path_says_the_type(client: Client, log: MemoryLog) -> None:
    assert client.post("/v1/identify", {"type": "track", "userId": "u1"}).status == 200
    assert log.messages[0]["type"] == "identify"


def test_a_bad_message_is_refused_with_every_reason(client: Client, log: MemoryLog) -> None:
    body = b'{"messageId": "m1", "properties": "many"}'
    answered = client.post("/v1/track", body)
    told = answered.json()
    assert (answered.status, told["success"]) == (400, False)
    assert {each["path"] for each in told["violations"]} >= {"event", "properties"}
    assert set(told["violations"][0]) == {"path", "rule", "expected", "found", "code", "message"}
    assert told["code"] == told["violations"][0]["code"]
    assert told["message"] == told["error"]
    (refusal,) = log.refusals
    assert (refusal.source, refusal.kind, refusal.path, refusal.raw) == ("web", "message", "/v1/track", body)
    assert (refusal.received_at, refusal.size) == (NOON_WORDS, len(body))
    assert len(refusal.violations) == len(told["violations"])
    assert log.items == []


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/v1/track", {"event": "e"}, "no_user_anon_id"),
        ("/v1/track", {"userId": "u1"}, "event_not_defined"),
        ("/v1/track", {"userId": "u1", "event": 7}, "event_not_string"),
        ("/v1/track", {"userId": "u1", "event": "e", "properties": "p"}, "properties_not_object"),
        ("/v1/identify", {"userId": "u1", "traits": "t"}, "traits_not_object"),
        ("/v1/identify", {"userId": {}}, "id_not_string"),
    ],
)
def test_a_refusal_carries_the_code_that_segment_gives(
    client: Client, path: str, message: dict[str, object], code: str
) -> None:
    answered = client.post(path, message)
    assert answered.status == 400
    assert code in {each["code"] for each in answered.json()["violations"]}


def test_a_message_past_the_limit_is_refused_and_kept_whole(client: Client, log: MemoryLog) -> None:
    answered = client.post("/v1/track", {"userId": "u1", "event": "e", "properties": {"a": "x" * 40_000}})
    assert answered.status == 400
    assert answered.json()["violations"][0]["rule"] == "size"
    assert log.refusals[0].size == len(log.refusals[0].raw) > 40_000


@pytest.mark.parametrize(
    "message",
    [
        {"userId": None, "anonymousId": "a1", "event": "e"},
        {"userId": "", "anonymousId": "a1", "event": "e"},
        {"userId": 12, "anonymousId": None, "event": "e"},
        {"userId": "u1", "event": "e", "integrations": [], "context": {"page": []}, "properties": []},
        {"userId": "u1", "event": "e", "originalTimestamp": "2023-11-15T10:00:00.123456789Z"},
        {"userId": "u1", "event": "e", "timestamp": "2023-11-15T12:00:00+02:00"},
        {"userId": "u1", "event": "e", "messageId": "node-" + "a" * 69},
    ],
)
def test_shapes_that_real_clients_send_are_taken(client: Client, message: dict[str, object]) -> None:
    assert client.post("/v1/track", message).json() == {"success": True}


def test_a_batch_at_the_wrong_address_is_refused(client: Client, log: MemoryLog) -> None:
    assert client.post("/v1/track", {"batch": [{"type": "identify", "userId": "u1"}]}).status == 400
    assert len(log.refusals) == 1


def test_nothing_is_stored_for_a_stranger(client: Client, log: MemoryLog) -> None:
    client.request("POST", "/v1/track", b'{"userId":"u1","event":7}', basic("wk_unknown"))
    assert log.puts == 0
