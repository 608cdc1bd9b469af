"""A batch: what it says for all of its messages, and what becomes of the bad ones."""

import time

import pytest

from schemas.limits import Limits
from tests.collector.client import NOON_WORDS, Client, MemoryLog, basic, edge

GOOD = {"type": "track", "userId": "u1", "event": "e"}


def test_what_the_batch_says_is_put_under_each_message(client: Client, log: MemoryLog) -> None:
    own = {**GOOD, "context": {"ip": "192.0.2.7"}, "integrations": {"A": False}}
    shared = {"context": {"library": {"name": "go"}, "ip": "192.0.2.1"}, "integrations": {"A": True, "B": False}}
    assert client.post("/v1/batch", {**shared, "batch": [GOOD, own]}).status == 200
    first, second = log.messages
    assert first["context"] == shared["context"]
    assert first["integrations"] == shared["integrations"]
    assert second["context"] == {"library": {"name": "go"}, "ip": "192.0.2.7"}
    assert second["integrations"] == {"A": False, "B": False}


def test_sent_at_of_the_batch_corrects_the_clock_of_its_messages(client: Client, log: MemoryLog) -> None:
    batch = [{**GOOD, "timestamp": "2023-11-15T10:59:50.000Z"}]
    assert client.post("/v1/batch", {"sentAt": "2023-11-15T11:00:00.000Z", "batch": batch}).status == 200
    assert log.messages[0]["timestamp"] == "2023-11-15T11:59:50.000Z"
    assert log.messages[0]["receivedAt"] == NOON_WORDS


def test_message_id_and_timestamp_of_the_batch_mean_nothing(client: Client, log: MemoryLog) -> None:
    envelope = {"messageId": "of the batch", "timestamp": "2001-01-01T00:00:00Z", "sequence": 3, "userId": "u9"}
    assert client.post("/v1/batch", {**envelope, "batch": [GOOD, GOOD]}).status == 200
    assert [item.message_id for item in log.items] == ["new-1", "new-2"]
    assert [message["timestamp"] for message in log.messages] == [NOON_WORDS] * 2
    assert [item.user for item in log.items] == ["u1", "u1"]


@pytest.mark.parametrize("odd", [[], None, {}])
def test_empty_shared_members_are_absent(client: Client, log: MemoryLog, odd: object) -> None:
    assert client.post("/v1/batch", {"context": odd, "integrations": odd, "batch": [GOOD]}).status == 200
    assert "_turnout" not in log.messages[0]


@pytest.mark.parametrize("body", [{}, {"batch": {}}, {"batch": None}, {"batch": "x"}, GOOD])
def test_a_batch_needs_its_array(client: Client, log: MemoryLog, body: object) -> None:
    answered = client.post("/v1/batch", body)
    assert (answered.status, answered.json()["code"]) == (400, "batch_not_array")
    assert len(log.refusals) == 1


def test_a_key_in_a_wrong_envelope_is_still_found(client: Client, log: MemoryLog) -> None:
    answered = client.request("POST", "/v1/batch", b'{"batch":{},"writeKey":"wk_web"}')
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (400, "batch_not_array")
    assert [refusal.source for refusal in log.refusals] == ["web"]


def test_an_empty_batch_is_a_mistake(client: Client) -> None:
    answered = client.post("/v1/batch", {"batch": []})
    assert (answered.status, answered.json()["code"]) == (400, "empty_batch")


def test_too_many_messages_are_refused_as_a_whole(log: MemoryLog) -> None:
    client = edge(log, limits=Limits(batch_messages=3))
    assert client.post("/v1/batch", {"batch": [GOOD] * 3}).status == 200
    answered = client.post("/v1/batch", {"batch": [GOOD] * 4})
    assert (answered.status, answered.json()["code"]) == (400, "too_many_messages")
    assert answered.json()["message"] == "`batch` holds 4 messages; the most is 3"
    assert len(log.items) == 3


def test_good_messages_are_taken_and_bad_ones_named(client: Client, log: MemoryLog) -> None:
    bad = {"type": "track", "userId": "u1", "messageId": "m-bad"}
    answered = client.post("/v1/batch", {"batch": [GOOD, bad, 7, {"type": "nonsense"}, GOOD]})
    told = answered.json()
    assert answered.status == 200
    assert (told["success"], told["accepted"]) == (True, 2)
    assert [each["index"] for each in told["rejected"]] == [1, 2, 3]
    assert told["rejected"][0] == {
        "index": 1,
        "messageId": "m-bad",
        "code": "event_not_defined",
        "message": '"event" is missing: it should be a non-empty string.',
        "path": "event",
    }
    assert "messageId" not in told["rejected"][1]
    assert len(log.items) == 2
    assert [refusal.raw for refusal in log.refusals][1:] == [b"7", b'{"type":"nonsense"}']
    assert {refusal.kind for refusal in log.refusals} == {"message"}
    assert log.puts == 1


def test_a_batch_without_one_good_message_is_an_error(client: Client, log: MemoryLog) -> None:
    answered = client.post("/v1/batch", {"batch": [{"type": "track"}, 7]})
    told = answered.json()
    assert (answered.status, told["success"], told["code"], told["accepted"]) == (400, False, "all_rejected", 0)
    assert [each["index"] for each in told["rejected"]] == [0, 1]
    assert told["message"].startswith("none of the 2 messages could be accepted; the first: ")
    assert len(log.refusals) == 2


def test_a_message_past_the_limit_is_refused_alone(client: Client, log: MemoryLog) -> None:
    large = {**GOOD, "properties": {"text": "é" * 20_000}}
    answered = client.post("/v1/batch", {"batch": [GOOD, large, GOOD]})
    assert answered.json()["rejected"][0]["index"] == 1
    assert "32,768 bytes" in answered.json()["rejected"][0]["message"]
    (refusal,) = log.refusals
    assert refusal.violations[0].rule == "size"
    assert len(refusal.raw) == refusal.size > 40_000


def test_one_message_that_is_not_utf_8_spoils_no_other(client: Client, log: MemoryLog) -> None:
    good = b'{"type":"track","userId":"u1","event":"e"}'
    answered = client.post("/v1/batch", b'{"batch":[' + good + b',{"type":"track","event":"\xff"},' + good + b"]}")
    assert (answered.json()["accepted"], answered.json()["rejected"][0]["index"]) == (2, 1)


def test_mending_one_message_spoils_no_other(client: Client, log: MemoryLog) -> None:
    half = rb'{"type":"track","userId":"u1","event":"\ud83d"}'
    huge = b'{"type":"track","userId":"u1","event":"e","properties":{"a":1e400}}'
    answered = client.post("/v1/batch", b'\xef\xbb\xbf{"batch":[' + half + b"," + huge + b"," + half + b"]}")
    assert (answered.json()["accepted"], answered.json()["rejected"][0]["index"]) == (2, 1)


def test_context_that_would_multiply_the_batch_is_refused(log: MemoryLog) -> None:
    client = edge(log, limits=Limits(body_bytes=100_000))
    assert client.post("/v1/batch", {"context": {"a": "x" * 400}, "batch": [GOOD] * 400}).status == 200
    answered = client.post("/v1/batch", {"context": {"a": "x" * 4_000}, "batch": [GOOD] * 400})
    assert (answered.status, answered.json()["code"]) == (400, "payload_too_large")
    assert len(log.items) == 400


def test_context_that_is_nested_too_deeply_is_refused(client: Client, log: MemoryLog) -> None:
    deep = b'{"a":' * 65 + b"1" + b"}" * 65
    answered = client.post("/v1/batch", b'{"context":' + deep + b',"batch":[{"type":"identify","userId":"u1"}]}')
    assert (answered.status, answered.json()["code"]) == (400, "too_deep")


def test_the_order_of_a_large_batch_is_kept(client: Client, log: MemoryLog) -> None:
    batch = [
        {**GOOD, "messageId": f"m{n}"} if n % 500 else {"type": "track", "messageId": f"m{n}"} for n in range(2_500)
    ]
    answered = client.post("/v1/batch", {"batch": batch})
    assert answered.json()["accepted"] == 2_495
    assert [each["messageId"] for each in answered.json()["rejected"]] == ["m0", "m500", "m1000", "m1500", "m2000"]
    assert [each["index"] for each in answered.json()["rejected"]] == [0, 500, 1_000, 1_500, 2_000]
    assert [item.message_id for item in log.items] == [f"m{n}" for n in range(2_500) if n % 500]


def test_a_batch_of_nothing_but_mistakes_is_worded_in_bounded_time(client: Client) -> None:
    start = time.perf_counter()
    answered = client.post("/v1/batch", {"batch": [{}] * 2_500}, basic("wk_web"))
    assert len(answered.json()["rejected"]) == 2_500
    assert time.perf_counter() - start < 10
