"""Where a write key may be, and which place is believed."""

import base64
import logging

import pytest

from collector.auth import Keys
from tests.collector.client import Client, MemoryLog, basic

MESSAGE = b'{"userId":"u1","event":"e"}'
SHOP = "wk_shop_0123456789abcdef"


def authorization(text: str) -> dict[str, str]:
    return {"Authorization": text}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def source_of(client: Client, log: MemoryLog, body: bytes, headers: dict[str, str], query: str = "") -> str:
    answered = client.request("POST", "/v1/track", body, headers, query=query)
    assert answered is not None
    assert answered.status == 200, answered.body
    return log.items[-1].source


@pytest.mark.parametrize(
    "value",
    [
        "Basic " + encoded("wk_web:"),
        "basic " + encoded("wk_web:"),
        "BASIC  " + encoded("wk_web:"),
        "Basic " + encoded("wk_web:any password"),
        "Basic " + encoded("wk_web"),
        "Basic " + encoded("wk_web:").rstrip("="),
        "Basic " + encoded("wk_web_new:"),
        "Basic " + encoded("id:secret:"),
        "Basic " + encoded("id:secret"),
    ],
)
def test_the_user_of_basic_authentication_is_the_key(client: Client, log: MemoryLog, value: str) -> None:
    assert source_of(client, log, MESSAGE, authorization(value)) == "web"


def test_each_place_is_tried_in_turn(client: Client, log: MemoryLog) -> None:
    in_body = b'{"writeKey":"wk_web","userId":"u1","event":"e"}'
    assert source_of(client, log, MESSAGE, {"X-Write-Key": SHOP}) == "shop"
    assert source_of(client, log, MESSAGE, {}, f"writeKey={SHOP}") == "shop"
    assert source_of(client, log, MESSAGE, {}, f"a=b&writekey={SHOP}") == "shop"
    assert source_of(client, log, in_body, {}) == "web"


def test_a_batch_may_name_its_key_itself_or_in_its_first_message(client: Client, log: MemoryLog) -> None:
    for body in (
        b'{"writeKey":"wk_web","batch":[{"type":"identify","userId":"u1"}]}',
        b'{"batch":[{"type":"identify","userId":"u1","writeKey":"wk_web"}]}',
        b'{"writeKey":null,"batch":[{"type":"identify","userId":"u1","writeKey":"wk_web"}]}',
    ):
        answered = client.request("POST", "/v1/batch", body)
        assert answered is not None
        assert answered.status == 200
    assert [item.source for item in log.items] == ["web"] * 3


def test_an_earlier_place_wins(client: Client, log: MemoryLog) -> None:
    in_body = b'{"writeKey":"wk_web","userId":"u1","event":"e"}'
    assert source_of(client, log, MESSAGE, {**basic("wk_web"), "X-Write-Key": SHOP}) == "web"
    assert source_of(client, log, MESSAGE, {"X-Write-Key": SHOP}, "writeKey=wk_web") == "shop"
    assert source_of(client, log, in_body, {}, f"writeKey={SHOP}") == "shop"


def test_a_masked_key_in_the_body_does_no_harm_to_the_one_in_the_header(client: Client, log: MemoryLog) -> None:
    masked = b'{"writeKey":"wk:***","userId":"u1","event":"e"}'
    assert source_of(client, log, masked, {"X-Write-Key": "id:secret"}) == "web"


@pytest.mark.parametrize(
    "value",
    [
        "Bearer wk_shop_0123456789abcdef",
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic " + encoded(":"),
        "Basic /w==",
        "nonsense",
    ],
)
def test_a_header_without_a_key_is_passed_over(client: Client, log: MemoryLog, value: str) -> None:
    in_body = b'{"writeKey":"wk_web","userId":"u1","event":"e"}'
    assert source_of(client, log, in_body, authorization(value)) == "web"


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        (basic("wk_unknown"), "", b'{"writeKey":"wk_web"}'),
        (basic("wk_web_"), "", b""),
        (basic("wk_we"), "", b""),
        ({"X-Write-Key": "wk_unknown"}, "", b'{"writeKey":"wk_web"}'),
        ({}, "writeKey=wk_unknown", b'{"writeKey":"wk_web"}'),
        ({}, "", b'{"writeKey":"wk_unknown"}'),
    ],
)
def test_an_unknown_key_is_final(
    client: Client, log: MemoryLog, headers: dict[str, str], query: str, body: bytes
) -> None:
    answered = client.request("POST", "/v1/track", body, headers, query=query)
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (401, "unknown_write_key")
    assert "wk_" not in answered.body.decode()
    assert log.puts == 0


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"writeKey":""}', b'{"writeKey":7}', b'{"writeKey":null}'])
def test_no_key_at_all_is_an_error_of_its_own(client: Client, body: bytes) -> None:
    answered = client.request("POST", "/v1/track", body)
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (401, "missing_write_key")
    # A challenge would make browsers ask their user for a name and a password.
    assert "www-authenticate" not in answered.headers


def test_an_unknown_key_in_a_header_is_refused_before_the_body_is_read(client: Client) -> None:
    answered = client.request("POST", "/v1/track", [], basic("wk_unknown"), hang_up=True)
    assert answered is not None
    assert answered.status == 401


def test_a_query_of_a_thousand_members_names_no_key(client: Client, log: MemoryLog) -> None:
    in_body = b'{"writeKey":"wk_web","userId":"u1","event":"e"}'
    assert source_of(client, log, in_body, {}, "&".join(["writeKey=wk_unknown"] * 1000)) == "web"


def test_the_key_is_in_no_stored_message_and_in_no_log_line(
    client: Client, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    message = {"type": "identify", "userId": "u1", "writeKey": SHOP}
    with caplog.at_level(logging.DEBUG):
        client.request("POST", "/v1/identify", b'{"userId":"u1","writeKey":"%s"}' % SHOP.encode(), {})
        client.post("/v1/batch", {"writeKey": SHOP, "batch": [message, {"type": 7, "writeKey": SHOP}]}, basic(SHOP))
    assert len(log.items) == 2
    assert not [item for item in log.items if SHOP.encode() in item.body]
    assert not [refusal for refusal in log.refusals if SHOP.encode() in refusal.raw]
    assert SHOP not in caplog.text


def test_a_key_belongs_to_one_source() -> None:
    with pytest.raises(ValueError, match="share a write key"):
        Keys({"a": ["k"], "b": ["k"]})
    with pytest.raises(ValueError, match="empty write key"):
        Keys({"a": [""]})


def test_a_grant_does_not_show_its_key() -> None:
    grant = Keys({"web": ["wk_web"]}).inside_body(["wk_web"])
    assert "wk_web" not in f"{grant} {grant!r}"
