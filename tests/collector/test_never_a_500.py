"""Whatever comes in, on whatever route: an answer that the client can read, and nothing stored that cannot be read."""

import base64
import gzip
import json
import os
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.routes import ROUTES, UNDER
from schemas.limits import Limits
from tests.collector.client import Answered, MemoryLog, basic, edge

LIMITS = Limits(body_bytes=100_000, message_bytes=8_000, batch_messages=20)
STORED = 2 * LIMITS.body_bytes + LIMITS.message_bytes
"""A message, a batch's `context`, and what normalising adds."""

PATHS = [*sorted(ROUTES), *(start + "x" for start, _ in UNDER)]
WHO = {"userId": "u1", "anonymousId": "a1"}
VALID: list[dict[str, Any]] = [
    {"type": "track", "event": "E", "properties": {"a": [1, {"b": "c"}]}, **WHO},
    {"type": "identify", "traits": {"email": "a@example.com", "address": {"city": "Ulm"}}, **WHO},
    {"type": "group", "groupId": "g", "traits": {"name": "G"}, **WHO},
    {"type": "alias", "previousId": "p", "userId": "u"},
    {"batch": [{"type": "page", "name": "P", **WHO}, {"type": "screen", **WHO}], "context": {"ip": "1.2.3.4"}},
    {"sentAt": "2023-11-15T12:00:00Z", "timestamp": "2023-11-15T12:00:00Z", "messageId": "m", "context": {}, **WHO},
]
NASTY = [
    *(b"\0", b"\\u0000", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\udc00", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"NaN", b"-Infinity", b"1e400", b"-0", b"0.1e-999", b"9" * 25, b"9" * 5_000, b"18446744073709551616"),
    *(b"null", b"true", b"[]", b"{}", b'""', b'"', b"[", b"{", b"]", b"}", b",", b":", b"\\", b"//", b"/*"),
    *(b"[" * 70, b'{"a":' * 70, b"[" * 2_000, b'"__proto__":{"a":1},', b'"":1,', b'"userId":"again",'),
    *(
        b'"timestamp":"9999-12-31T23:59:59+99:99",',
        b'"sentAt":-1e18,',
        b'"context":[],',
        b'"traits":"x",',
        b'"type":7,',
    ),
    *(b'"batch":{},', b'"messageId":"' + b"m" * 200 + b'",', b'"properties":{"' + b"k" * 10_000 + b'":1},'),
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
MEMBERS = (
    "type userId anonymousId event groupId previousId traits properties context name timestamp sentAt messageId "
    "originalTimestamp integrations batch writeKey payload profileId operations channel version options identifier key"
)
known_members = st.sampled_from(MEMBERS.split())
messages = st.dictionaries(known_members, anything | st.text(max_size=5), max_size=8)
routes = st.sampled_from(PATHS)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid body in which a few places were overwritten, or into which something nasty was put."""
    body = msgspec.json.encode(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(body))), draw(st.sampled_from([0, 0, 1, 2, 9]))
        body = body[:at] + draw(st.sampled_from(NASTY) | st.binary(max_size=4)) + body[at + length :]
    return body


bodies = st.binary(max_size=80) | mutated() | (messages | anything | st.lists(messages)).map(msgspec.json.encode)
keys = st.sampled_from([basic("wk_web"), {"X-Write-Key": "wk_web"}, {"Authorization": "Bearer x"}, basic("nobody"), {}])
encodings = st.sampled_from([{}, {}, {}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate"}])
EXAMPLES = int(os.environ.get("TURNOUT_FUZZ", "60"))
often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)


def sound(path: str, answered: Answered | None, log: MemoryLog) -> None:
    """The answer is one that clients can read, and what was kept can be read as well."""
    assert answered is not None, path
    assert answered.status < 500, (path, answered)
    if answered.headers.get("content-type", "").startswith("application/json"):
        told = answered.json()
        if answered.status >= 400 and isinstance(told, dict):
            assert told.get("message") or told.get("details") or told.get("error"), (path, told)
    for item in log.items:
        assert len(item.body) <= STORED
        assert msgspec.json.decode(item.body) == json.loads(item.body)
    for refusal in log.refusals:
        assert msgspec.json.encode(refusal.violations)


def post(path: str, body: bytes, headers: dict[str, str], query: str = "") -> None:
    route = ROUTES.get(path)
    method = route.methods[-1] if route else "POST"
    log = MemoryLog()
    client = edge(log, limits=LIMITS)
    sound(path, client.request(method, path, body, headers, query=query), log)


@often
@given(routes, bodies, keys, encodings)
def test_any_body_on_any_route_is_answered(
    path: str, body: bytes, key: dict[str, str], encoding: dict[str, str]
) -> None:
    packed = gzip.compress(body, 1) if encoding.get("Content-Encoding") == "gzip" and body[:1] != b"x" else body
    post(path, packed, {**key, **encoding, "Origin": "https://shop.example"})


@often
@given(routes, mutated())
def test_messages_that_are_nearly_right_are_answered(path: str, body: bytes) -> None:
    post(path, body, basic("wk_web"))


@often
@given(routes, bodies | st.text(max_size=40).map(str.encode))
def test_any_query_on_any_route_is_answered(path: str, text: bytes) -> None:
    query = "writeKey=wk_web&data=" + base64.b64encode(text).decode()
    post(path, text, {}, query)
    raw = text.decode("latin-1").encode("ascii", "backslashreplace").decode()
    post(path, b"", basic("wk_web"), raw)


@often
@given(st.text(max_size=30), st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]))
def test_any_path_and_method_is_answered(path: str, method: str) -> None:
    log = MemoryLog()
    for where in (f"/{path}", f"/v1/{path}", *PATHS[len(path) : len(path) + 1]):
        sound(where, edge(log, limits=LIMITS).request(method, where, b"{}", basic("wk_web")), log)


header_names = st.sampled_from(["authorization", "content-encoding", "content-length", "origin", "cookie"])


@often
@given(st.dictionaries(header_names | st.text("abcdefgh-", min_size=1, max_size=12), st.text(max_size=30)))
def test_any_headers_are_answered(headers: dict[str, str]) -> None:
    sent = {name: value.encode("ascii", "replace").decode() for name, value in headers.items()}
    post("/v1/track", msgspec.json.encode(VALID[0]), sent)
