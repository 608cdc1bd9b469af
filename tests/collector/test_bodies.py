"""Bodies as clients really send them: any type, any encoding, never more than allowed."""

import asyncio
import gzip
import tracemalloc
import zlib

import pytest
from starlette.types import Message

from collector import room as rooms
from collector.errors import TooSlow
from collector.inflating import MEMBERS
from collector.reading import read_body
from collector.room import Room
from schemas.limits import Limits
from tests.collector.client import Client, MemoryLog, basic, edge, gzipped

MESSAGE = b'{"userId":"u1","event":"Signed Up"}'
HALF = len(MESSAGE) // 2
SMALL = Limits(body_bytes=1_000)


def raw_deflate(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        None,
    ],
)
def test_the_content_type_does_not_matter(client: Client, log: MemoryLog, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert client.post("/v1/track", MESSAGE, headers).status == 200
    assert log.messages[0]["event"] == "Signed Up"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(MESSAGE)),
        ("GZIP", gzipped(MESSAGE)),
        ("x-gzip", gzipped(MESSAGE)),
        ("identity, gzip", gzipped(MESSAGE)),
        ("gzip", gzipped(MESSAGE[:HALF], MESSAGE[HALF:])),
        ("gzip", gzipped(MESSAGE) + b"\0" * 9),
        ("deflate", zlib.compress(MESSAGE)),
        ("deflate", raw_deflate(MESSAGE)),
        ("identity", MESSAGE),
        ("", MESSAGE),
    ],
)
def test_a_compressed_body_is_inflated(client: Client, log: MemoryLog, encoding: str, body: bytes) -> None:
    assert client.post("/v1/track", body, {"Content-Encoding": encoding}).json() == {"success": True}
    assert log.messages[0]["event"] == "Signed Up"


@pytest.mark.parametrize(
    ("encoding", "body", "code", "words"),
    [
        ("gzip", gzipped(MESSAGE)[:-9], "bad_encoding", "cut off"),
        ("gzip", gzipped(MESSAGE)[:12], "bad_encoding", "cut off"),
        ("gzip", b"", "bad_encoding", "cut off"),
        ("gzip", gzipped(MESSAGE)[:-8] + b"12345678", "bad_encoding", "not compressed"),
        ("gzip", MESSAGE, "bad_encoding", "not compressed"),
        ("gzip", gzipped(MESSAGE) + b"tail", "bad_encoding", "not compressed"),
        ("gzip", gzipped(MESSAGE) + gzipped(MESSAGE)[:15], "bad_encoding", "cut off"),
        ("gzip", gzipped(*[b""] * (MEMBERS + 1)), "bad_encoding", f"more than {MEMBERS} parts"),
        ("deflate", MESSAGE, "bad_encoding", "not compressed"),
        ("br", b"\x0b\x02", "unsupported_encoding", "gzip, deflate or identity"),
        ("gzip, gzip", gzipped(gzipped(MESSAGE)), "unsupported_encoding", "once"),
        ("", gzipped(MESSAGE), "invalid_json", "say so with Content-Encoding: gzip"),
    ],
)
def test_a_body_that_cannot_be_inflated_says_why(
    client: Client, log: MemoryLog, encoding: str, body: bytes, code: str, words: str
) -> None:
    answered = client.post("/v1/track", body, {"Content-Encoding": encoding})
    assert (answered.status, answered.json()["code"]) == (400, code)
    assert words in answered.json()["message"]
    assert [refusal.kind for refusal in log.refusals] == ["body"]


def test_what_inflates_past_the_limit_is_refused_while_it_inflates(log: MemoryLog) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=6)
    client = edge(log)
    tracemalloc.start()
    answered = client.post("/v1/batch", bomb, {"Content-Encoding": "gzip"})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answered.status, answered.json()["code"]) == (400, "payload_too_large")
    assert most < 4 * Limits().body_bytes


def test_many_small_parts_share_one_limit(log: MemoryLog) -> None:
    body = gzipped(*[b" " * 300] * 4)
    assert edge(log, limits=SMALL).post("/v1/track", body, {"Content-Encoding": "gzip"}).status == 400


def test_a_body_of_exactly_the_limit_is_taken(log: MemoryLog) -> None:
    client = edge(log, limits=SMALL)
    body = MESSAGE.ljust(1_000)
    assert client.post("/v1/track", body).status == 200
    assert client.post("/v1/track", gzipped(body), {"Content-Encoding": "gzip"}).status == 200
    assert client.post("/v1/track", body + b" ").status == 400
    assert client.post("/v1/track", gzipped(body + b" "), {"Content-Encoding": "gzip"}).status == 400


def test_a_declared_length_past_the_limit_is_refused_before_reading(log: MemoryLog) -> None:
    for declared in ("1001", "9" * 100):
        answered = edge(log, limits=SMALL).request(
            "POST", "/v1/track", [], {**basic("wk_web"), "Content-Length": declared}, hang_up=True
        )
        assert answered is not None
        assert (answered.status, answered.json()["code"]) == (400, "payload_too_large")


def test_chunks_are_counted(log: MemoryLog) -> None:
    client = edge(log, limits=SMALL)
    chunks = [b" " * 400, b" " * 400, b" " * 400]
    answered = client.request("POST", "/v1/track", [*chunks, *chunks], basic("wk_web"))
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (400, "payload_too_large")


def test_a_body_in_pieces_is_put_together(client: Client, log: MemoryLog) -> None:
    pieces = [MESSAGE[:7], b"", MESSAGE[7:HALF], MESSAGE[HALF:], b""]
    answered = client.request("POST", "/v1/track", pieces, basic("wk_web"))
    assert answered is not None
    assert answered.status == 200


def test_a_client_that_hangs_up_gets_no_answer_and_makes_no_noise(
    client: Client, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.request("POST", "/v1/track", [MESSAGE[:7]], basic("wk_web"), hang_up=True) is None
    assert caplog.text == ""
    assert log.puts == 0


def test_a_body_that_does_not_come_in_time_is_asked_for_again(log: MemoryLog) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(TooSlow, match=r"after 0\.01 seconds"):
        asyncio.run(read_body(receive, {}, 100, 0.01, Room(0)))


def test_a_late_body_is_answered_with_a_status_that_no_client_gives_up_on(log: MemoryLog) -> None:
    answered = edge(log, body_seconds=0.01).request(
        "POST", "/v1/track", [MESSAGE[:7], b""], basic("wk_web"), stall=True
    )
    assert answered is not None
    assert (answered.status, answered.json()["code"]) == (503, "body_timeout")
    assert answered.headers["retry-after"] == "1"


def test_large_bodies_share_a_room_that_each_leaves_with_its_answer(log: MemoryLog) -> None:
    size = rooms.SMALL
    room = Room(3 * size)
    client = edge(log, room=room)
    assert [client.post("/v1/batch", MESSAGE.ljust(2 * size)).status for _ in range(3)] == [400] * 3  # it was read
    packed = client.post("/v1/batch", gzipped(MESSAGE.ljust(4 * size)), {"Content-Encoding": "gzip"})
    assert (packed.status, packed.json()["code"], packed.headers["retry-after"]) == (503, "busy", "1")
    assert client.post("/v1/batch", MESSAGE.ljust(4 * size)).status == 503
    assert client.post("/v1/track", MESSAGE).status == 200
    assert room.used == 0


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "empty_body", "empty"),
        (b"  \r\n", "empty_body", "empty"),
        (b"\xef\xbb\xbf", "empty_body", "empty"),
        (b"{", "invalid_json", "not JSON"),
        (b"hello", "invalid_json", "not JSON"),
        (b"writeKey=wk_web&event=e", "invalid_json", "not JSON"),
        (MESSAGE + b"}", "invalid_json", "not JSON"),
        (b'{"userId":"u1","event":NaN}', "invalid_json", "not JSON"),
        (MESSAGE.decode().encode("utf-16"), "not_utf8", "UTF-16"),
        (MESSAGE.decode().encode("utf-16-le"), "not_utf8", "UTF-16"),
        (MESSAGE.decode().encode("utf-16-be"), "not_utf8", "UTF-16"),
        (MESSAGE.decode().encode("utf-32"), "not_utf8", "UTF-32"),
        (b'{"writeKey":"caf\xe9"}', "not_utf8", "UTF-8"),
        (b"\xff" + MESSAGE, "invalid_json", "not JSON"),
        (b'{"a":1e400}', "invalid_json", "out of range"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_a_body_that_is_not_json_says_what_it_is(
    client: Client, log: MemoryLog, path: str, body: bytes, code: str, words: str
) -> None:
    answered = client.post(path, body)
    told = answered.json()
    if path == "/v1/batch" and b"1e400" in body:
        assert told["code"] == "batch_not_array"
        return
    assert (answered.status, told["code"]) == (400, code)
    assert words in told["message"]
    assert told["success"] is False
    assert told["error"] == told["message"]
    (refusal,) = log.refusals
    assert (refusal.kind, refusal.source, refusal.path, refusal.size) == ("body", "web", path, len(body))
    assert refusal.violations[0].code == code


def test_a_body_that_is_not_json_and_carries_no_key_is_answered_and_not_kept(client: Client, log: MemoryLog) -> None:
    for path in ("/v1/track", "/v1/batch"):
        answered = client.request("POST", path, b'{"writeKey":"wk_web",')
        assert answered is not None
        assert (answered.status, answered.json()["code"]) == (400, "invalid_json")
    assert log.puts == 0


def test_a_byte_order_mark_is_overlooked(client: Client, log: MemoryLog) -> None:
    assert client.post("/v1/track", b"\xef\xbb\xbf" + MESSAGE).status == 200
    assert client.post("/v1/batch", b'\xef\xbb\xbf{"batch":[{"type":"track",' + MESSAGE[1:] + b"]}").status == 200
    assert [message["event"] for message in log.messages] == ["Signed Up"] * 2


def test_half_of_a_character_becomes_a_replacement_character(client: Client, log: MemoryLog) -> None:
    cut = rb'{"type":"track","userId":"u1","event":"Hi \ud83d","properties":{"whole":"\ud83d\ude00","text":"\\ud83d"}}'
    assert client.post("/v1/track", cut).status == 200
    assert client.post("/v1/batch", b'{"batch":[' + cut + b"," + cut + b"]}").status == 200
    for message in log.messages:
        assert message["event"] == "Hi \ufffd"
        assert message["properties"] == {"whole": "\U0001f600", "text": r"\ud83d"}
    assert len(log.messages) == 3


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"null", b"true"])
def test_json_that_is_no_object_is_refused(client: Client, log: MemoryLog, body: bytes) -> None:
    assert client.post("/v1/track", body).status == 400
    answered = client.post("/v1/batch", body)
    assert (answered.status, answered.json()["code"]) == (400, "not_an_object")
    assert len(log.refusals) == 2


@pytest.mark.parametrize("depth", [65, 500, 5_000, 100_000])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_deep_nesting_is_refused(client: Client, log: MemoryLog, path: str, depth: int) -> None:
    body = b'{"type":"track","userId":"u1","event":"e","properties":%s}' % (b'{"a":' * depth + b"1" + b"}" * depth)
    answered = client.post(path, body if path == "/v1/track" else b'{"batch":[' + body + b"]}")
    assert answered.status == 400
    assert "nested" in answered.json()["message"] or len(body) > Limits().message_bytes
    assert len(log.refusals) == 1


def test_brackets_in_texts_are_no_nesting(client: Client, log: MemoryLog) -> None:
    assert client.post("/v1/track", {"userId": "u1", "event": "[{" * 100 + '"[[['}).status == 200
