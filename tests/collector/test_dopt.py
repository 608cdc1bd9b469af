"""Dopt's users API, of both generations: what is stored of its requests, and what its clients are answered."""

import http.client
from typing import Any

import msgspec
import pytest

from collector.log_port import LogUnavailable
from collector.policy import Policy
from collector.release import Held, judged
from collector.routes import route_of
from schemas.limits import Limits
from tests.collector.client import NOON_WORDS, Answered, Client, MemoryLog, edge
from tests.collector.served import served
from worker.database.tables import LONGEST_INDEXED

UPSERT = {"operations": [{"op": "upsert"}]}
JOE = {"identifier": "u1", "properties": {"name": "Joe", "plan": "pro"}}


def asked(
    client: Client, path: str, body: object, *, headers: dict[str, str] | None = None, key: str = "wk_web"
) -> Answered:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answered = client.request("POST", path, content, {"X-Api-Key": key, **(headers or {})})
    assert answered is not None
    return answered


def told(log: MemoryLog) -> list[dict[str, Any]]:
    """What is stored, without what the server adds to every message."""
    own = ("type", "userId", "groupId", "traits", "context")
    return [{name: value for name, value in message.items() if name in own and value} for message in log.messages]


def refused(answered: Answered, code: str = "invalid_request_error", status: int = 400) -> str:
    """The words of an error; its members and code are all that the clients accept."""
    said = answered.json()
    assert (answered.status, said["code"], sorted(said)) == (status, code, ["code", "details"])
    assert isinstance(said["details"], str)
    return str(said["details"])


def test_a_user_is_an_identify_of_the_moment_at_which_it_came(client: Client, log: MemoryLog) -> None:
    answered = asked(client, "/identify", JOE)
    assert (answered.status, answered.json()) == (200, {"success": True})
    assert log.messages == [
        {
            "type": "identify",
            "userId": "u1",
            "traits": {"name": "Joe", "plan": "pro"},
            "context": {},
            "messageId": "new-1",
            "timestamp": NOON_WORDS,
            "originalTimestamp": NOON_WORDS,
            "receivedAt": NOON_WORDS,
        }
    ]


def test_the_groups_of_a_user_follow_it(client: Client, log: MemoryLog) -> None:
    groups = [{"identifier": "g1", "properties": {"name": "Acme"}}, {"identifier": 2}]
    asked(client, "/identify", {**JOE, "groups": groups})
    assert told(log)[1:] == [
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Acme"}},
        {"type": "group", "userId": "u1", "groupId": "2"},
    ]


@pytest.mark.parametrize("path", ["/identify/group", "/identify/group/"])
def test_a_group_comes_without_a_user(client: Client, log: MemoryLog, path: str) -> None:
    answered = asked(client, path, {"identifier": "g1", "properties": {"name": "Acme"}})
    assert answered.status == 200
    assert told(log) == [{"type": "group", "groupId": "g1", "traits": {"name": "Acme"}, "context": UPSERT}]


@pytest.mark.parametrize(
    ("path", "identifier"),
    [
        ("123456789", "123456789"),
        ("u1/", "u1"),
        ("a%2Fb", "a/b"),
        ("a%2Fb%2F", "a/b/"),
        ("a/b", "a/b"),
        ("joe%40dopt.com", "joe@dopt.com"),
        ("100%25", "100%"),
        ("a%2541", "a%41"),
        ("J%C3%BCrgen+1", "Jürgen+1"),
        ("bulky", "bulky"),
        ("identify%2Fx", "identify/x"),
    ],
)
def test_the_identifier_of_a_path_may_hold_anything(client: Client, log: MemoryLog, path: str, identifier: str) -> None:
    answered = asked(client, f"/identify/{path}", {"name": "Joe", "tags": ["a", {"b": None}], "identifier": "other"})
    assert answered.status == 200
    traits = {"name": "Joe", "tags": ["a", {"b": None}], "identifier": "other"}
    assert told(log) == [{"type": "identify", "userId": identifier, "traits": traits}]


def test_a_slash_in_an_identifier_comes_through_a_real_server(client: Client, log: MemoryLog) -> None:
    with served(client.app) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/identify/a%2Fb%25?x=1", b'{"name":"Joe"}', {"x-api-key": "wk_web"})
        assert connection.getresponse().read() == b'{"success":true}'
        connection.close()
    assert told(log)[0]["userId"] == "a/b%"


def test_where_the_edge_is_mounted_the_identifier_is_found_too(client: Client, log: MemoryLog) -> None:
    body, key = b'{"name":"Joe"}', {"x-api-key": "wk_web"}
    client.request("POST", "/dopt/identify/a%2Fb", body, key, root_path="/dopt")
    assert told(log)[0]["userId"] == "a/b"


@pytest.mark.parametrize("path", ["/identify/bulk", "/identify/batch", "/identify/bulk/"])
def test_many_users_are_counted(client: Client, log: MemoryLog, path: str) -> None:
    users = [
        {"__dopt_identifier": "u1", "name": "Joe", "identifier": "kept", "properties": 1, "groups": "admins"},
        {"identifier": "u2", "name": "Alon", "city": "Oakland"},
        {"identifier": "u3", "properties": {"name": "Ann"}, "groups": [{"identifier": "g1", "properties": {}}]},
        {"identifier": "u4", "properties": None, "groups": None},
        {"identifier": "u5", "beside": 1, "properties": {"inside": 2}},
        {"__dopt_identifier": 6},
    ]
    answered = asked(client, path, users)
    assert (answered.status, answered.json()) == (200, {"count": 6})
    flat = {"name": "Joe", "identifier": "kept", "properties": 1, "groups": "admins"}
    assert told(log) == [
        {"type": "identify", "userId": "u1", "traits": flat},
        {"type": "identify", "userId": "u2", "traits": {"name": "Alon", "city": "Oakland"}},
        {"type": "identify", "userId": "u3", "traits": {"name": "Ann"}},
        {"type": "group", "userId": "u3", "groupId": "g1"},
        {"type": "identify", "userId": "u4"},
        {"type": "identify", "userId": "u5", "traits": {"beside": 1, "inside": 2}},
        {"type": "identify", "userId": "6"},
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "identify", "userId": "u1", "traits": {"a": {"b": 1}}},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Acme"}},
    ],
)
def test_what_segment_sends_is_taken_as_it_is(client: Client, log: MemoryLog, message: dict[str, Any]) -> None:
    answered = asked(client, "/identify/segment", {**message, "messageId": "m1"})
    assert (answered.status, answered.json()) == (200, {"count": 1})
    assert told(log) == [message]
    assert log.items[0].message_id == "m1"


def test_no_users_are_no_mistake(client: Client) -> None:
    assert asked(client, "/identify/batch", []).json() == {"count": 0}


def test_the_client_is_known_by_what_it_says_of_itself(client: Client, log: MemoryLog) -> None:
    python = {"X-Fern-Language": "Python", "X-Fern-SDK-Name": "dopt-users-python-client", "X-Fern-SDK-Version": "1.0.9"}
    asked(client, "/identify", JOE, headers=python)
    asked(client, "/identify", JOE, headers={"X-Fern-Language": "JavaScript", "X-Fern-Runtime": "node"})
    assert [message["context"]["library"] for message in log.messages] == [
        {"name": "dopt-users-python-client", "version": "1.0.9"},
        {"name": "dopt-users-javascript-client"},
    ]


@pytest.mark.parametrize("key", ["nobody", "users-123"])
def test_an_unknown_key_is_an_error_of_its_own(client: Client, log: MemoryLog, key: str) -> None:
    said = refused(asked(client, "/identify/batch", [JOE], key=key), "unauthorized_error", 401)
    assert key not in said
    assert not log.items


@pytest.mark.parametrize("path", ["/identify", "/identify/bulk", "/identify/u1"])
def test_no_key_is_said_with_the_header_that_wants_it(client: Client, path: str) -> None:
    answered = client.request("POST", path, b"{}")
    assert answered is not None
    assert "x-api-key" in refused(answered, "unauthorized_error", 401)


def test_one_bad_user_among_good_ones_is_named_and_kept(client: Client, log: MemoryLog) -> None:
    users = [JOE, {"identifier": "", "properties": {}}, 7, {"identifier": "u4", "groups": [{"identifier": None}]}, JOE]
    said = refused(asked(client, "/identify/batch", users))
    assert said == (
        "2 of 5 users are stored; these are not: "
        '[1] "identifier" should be a non-empty string, but it is empty or another kind of value. '
        "[2] The message should be an object, but it is another kind of value. "
        '[3] "groups.0.identifier" should be a non-empty string, but it is empty or another kind of value.'
    )
    assert [message["userId"] for message in log.messages] == ["u1", "u1"]
    assert [refusal.raw for refusal in log.refusals] == [msgspec.json.encode(users[n]) for n in (1, 2, 3)]
    assert {refusal.path for refusal in log.refusals} == {"/identify/batch"}


def test_a_user_that_breaks_a_rule_of_messages_is_named_too(client: Client, log: MemoryLog) -> None:
    large = {"__dopt_identifier": "u2", "about": "x" * 40_000}
    said = refused(asked(client, "/identify/bulk", [{"__dopt_identifier": "u1"}, large]))
    assert said.startswith("1 of 2 users are stored; these are not: [1] The message should be at most 32,768 bytes")
    assert (len(log.items), len(log.refusals)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/identify", {"properties": {}}, '"identifier" is missing'),
        ("/identify", {"userId": "u1", "traits": {}}, "a message as Segment has them goes to /v1/identify"),
        ("/identify", {"identifier": True}, '"identifier" should be a non-empty string'),
        ("/identify", {"identifier": "u", "properties": "x"}, '"properties" should be an object'),
        ("/identify", {"identifier": "u", "groups": "x"}, '"groups" should be an array'),
        ("/identify", {"identifier": "u", "groups": ["x"]}, '"groups.0" should be an object'),
        ("/identify", [], "should be an object"),
        ("/identify", b"", "the body is empty"),
        ("/identify", b"{", "not JSON"),
        ("/identify/group", {"identifier": ""}, '"identifier" should be a non-empty string'),
        ("/identify/bulk", {}, "the body should be an array of users"),
        ("/identify/bulk", [JOE] * 101, "the body holds 101 users; the most is 100"),
        ("/identify/batch", [{**JOE, "groups": [{"identifier": "g"}] * 30}] * 90, "the most is 2500"),
        ("/identify/u1", b"[]", "should be an object"),
        ("/identify/%FF", b"{}", "not UTF-8"),
        ("/identify//", b"{}", "empty"),
        ("/identify/segment", {"type": "track", "userId": "u1", "event": "E"}, '"type" should be identify or group'),
        ("/identify/segment", {"userId": "u1"}, '"type" is missing'),
        ("/identify/segment", {"type": "group", "groupId": "g1"}, "userId"),
        ("/identify/u1", b'{"a":' + b"[" * 99 + b"]" * 99 + b"}", "nested at most"),
        ("/identify", b"[" * 9_999, "nested too deeply"),
    ],
)
def test_a_mistake_is_told_and_what_was_sent_is_kept(
    client: Client, log: MemoryLog, path: str, body: object, words: str
) -> None:
    assert words in refused(asked(client, path, body))
    assert log.items == []
    assert len(log.refusals) == 1


def test_half_an_emoji_does_no_harm(client: Client, log: MemoryLog) -> None:
    assert asked(client, "/identify", b'{"identifier":"u1","properties":{"name":"\\ud83d"}}').status == 200
    assert told(log)[0]["traits"] == {"name": "\ufffd"}


def test_a_body_that_is_too_large_is_told_so(log: MemoryLog) -> None:
    client = edge(log, limits=Limits(body_bytes=100))
    assert "larger than 100 bytes" in refused(asked(client, "/identify/bulk", b"[" + b" " * 200 + b"]"))


def test_a_log_that_is_away_is_worth_another_try(client: Client, log: MemoryLog) -> None:
    log.failure = LogUnavailable(7)
    answered = asked(client, "/identify", JOE)
    refused(answered, "internal_server_error", 503)
    assert answered.headers["retry-after"] == "7"


def test_a_bug_is_told_in_the_words_of_the_clients(client: Client, log: MemoryLog) -> None:
    log.failure = ZeroDivisionError()
    refused(asked(client, "/identify/group", JOE), "internal_server_error", 500)


@pytest.mark.parametrize("path", ["/identify", "/identify/bulk", "/identify/u1"])
def test_another_method_is_told_too(client: Client, path: str) -> None:
    answered = client.get(path)
    assert "this path takes POST" in refused(answered, status=405)


def test_a_reserved_word_is_one_only_as_a_whole() -> None:
    assert route_of("/identify/bulk") is not route_of("/identify/bulk/x")
    assert route_of("/identify/bulk/x") is route_of("/identify/u1")


def held(log: MemoryLog, number: int = 0, **changes: Any) -> Held:
    """The refusal as the database holds it, repaired."""
    refusal = log.refusals[number]
    raw = msgspec.json.encode({**msgspec.json.decode(refusal.raw), **changes}) if changes else refusal.raw
    return Held(
        digest="d",
        source="web",
        kind=refusal.kind,
        path=refusal.path,
        raw=raw,
        size=len(raw),
        received_at_ms=1_709_208_000_000,
    )


def released(log: MemoryLog, number: int = 0, **changes: Any) -> list[tuple[str, str | None, str | None]]:
    verdict = judged(held(log, number, **changes), Limits())
    found = [msgspec.json.decode(item.body) for item in verdict.items]
    return [(message["type"], message.get("userId"), message.get("groupId")) for message in found]


@pytest.mark.parametrize(
    ("path", "body", "changes", "messages"),
    [
        ("/identify", {"properties": {}}, {"identifier": "u1"}, [("identify", "u1", None)]),
        ("/identify/group", {}, {"identifier": "g1"}, [("group", None, "g1")]),
        ("/identify/bulk", [{"name": "Joe"}], {"__dopt_identifier": "u1"}, [("identify", "u1", None)]),
        (
            "/identify/batch",
            [{"groups": [{"identifier": "g1"}]}],
            {"identifier": "u1"},
            [("identify", "u1", None), ("group", "u1", "g1")],
        ),
        ("/identify/segment", {"type": "group", "groupId": "g1"}, {"userId": "u1"}, [("group", "u1", "g1")]),
        ("/identify/bulk", [{"identifier": "u1", "a": "x" * 33_000}], {"traits": {}}, [("identify", "u1", None)]),
    ],
)
def test_what_was_refused_is_released_when_it_is_put_right(
    client: Client,
    log: MemoryLog,
    path: str,
    body: object,
    changes: dict[str, Any],
    messages: list[tuple[str, str | None, str | None]],
) -> None:
    asked(client, path, body)
    assert released(log) == []
    assert released(log, **changes) == messages


def test_a_refused_body_is_released_for_the_user_in_its_path(client: Client, log: MemoryLog) -> None:
    asked(client, "/identify/a%2541%2Fb", b"[]")
    mended = msgspec.structs.replace(held(log), raw=b'{"name":"Joe"}', size=14)
    assert [msgspec.json.decode(item.body)["userId"] for item in judged(mended, Limits()).items] == ["a%41/b"]


def test_an_identifier_that_the_quarantine_cut_is_not_taken_for_another(client: Client, log: MemoryLog) -> None:
    asked(client, "/identify/" + "x" * 500, b"[]")
    cut = msgspec.structs.replace(held(log), path=log.refusals[0].path[:LONGEST_INDEXED], raw=b"{}", size=2)
    assert judged(cut, Limits()).items == ()


def test_a_user_that_is_still_wrong_stays_with_the_reason(client: Client, log: MemoryLog) -> None:
    asked(client, "/identify/bulk", [{"name": "Joe"}])
    (still,) = judged(held(log, plan="pro"), Limits()).refused
    assert still.violations[0].sentence() == '"identifier" is missing: it should be a non-empty string.'


def test_a_user_whose_group_is_not_taken_is_told_to_be_stored(log: MemoryLog) -> None:
    client = edge(log, policies={"web": Policy(types=frozenset({"identify"}))})
    words = refused(asked(client, "/identify", {**JOE, "groups": [{"identifier": "g1"}]}))
    assert words.startswith("the rest of it is stored; this is not: ")
    assert [message["type"] for message in log.messages] == ["identify"]
