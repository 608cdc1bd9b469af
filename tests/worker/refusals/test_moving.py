"""What was refused, on its way into the database: what is the same is one, with a count that is right."""

from typing import Any

import pytest
import redis
from sqlalchemy import Engine

from schemas.errors import Violation
from tests.worker.refusals.refusals import AT, body, refusal, refuse
from worker import keys
from worker.refusals import desk
from worker.refusals.desk import Ending, Refusal, Wanted
from worker.refusals.moving import move_refusals


def everything(engine: Engine) -> list[Refusal]:
    return sorted(desk.newest(engine, Wanted(), 1_000), key=lambda one: one.id)


class CrashesBeforeDeleting:
    """A client whose process dies between the two stores."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def xdel(self, *_: object) -> None:
        raise InterruptedError


def test_a_refusal_is_moved_with_what_was_sent_and_what_is_wrong(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": "A", "messageId": "m1", "writeKey": "a-long-write-key"}))
    assert move_refusals(log_client, database) == 1
    (found,) = everything(database)
    assert found.raw == b'{"event":"A","messageId":"m1","writeKey":"***"}'
    assert (found.source, found.kind, found.path, found.state, found.count) == (
        "web",
        "message",
        "/v1/track",
        "held",
        1,
    )
    assert (found.message_id, found.event, found.rule) == ("m1", "A", "userId:anyOf")
    assert found.wrong == '"userId" is missing: it should be a userId or an anonymousId.'
    assert found.received_at_ms == 1_709_208_000_000
    assert log_client.xlen(keys.refused(0, "web")) == 0


def test_what_a_client_sends_again_and_again_is_one_with_a_count(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, *[refusal({"event": "A"})] * 3, refusal({"event": "A"}, at="2024-03-01T00:00:00.000Z"))
    refuse(log_client, refusal({"event": "A"}, at="2024-02-29T13:00:00.000Z"), partition=3)
    refuse(log_client, refusal({"event": "B"}))
    assert move_refusals(log_client, database) == 6
    first, second = sorted(everything(database), key=lambda one: one.event)
    assert (first.count, second.count) == (5, 1)
    assert first.last_at_ms == 1_709_251_200_000


def test_a_crash_before_deleting_counts_nothing_twice(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": "A"}), refusal({"event": "A"}))
    with pytest.raises(InterruptedError):
        move_refusals(CrashesBeforeDeleting(log_client), database)  # type: ignore[arg-type]  # it stands in for one
    refuse(log_client, refusal({"event": "A"}))
    assert move_refusals(log_client, database) == 1
    assert [one.count for one in everything(database)] == [3]


def test_another_violation_is_another_refusal(log_client: redis.Redis, database: Engine) -> None:
    other = (Violation("event", "type", "a string", "a number"),)
    refuse(log_client, refusal({"event": "A"}), refusal({"event": "A"}, wrong=other))
    assert move_refusals(log_client, database) == 2
    assert len(everything(database)) == 2


def test_what_was_released_and_is_refused_again_is_held_again(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": "A"}))
    move_refusals(log_client, database)
    desk.mark_released(database, [Ending(1, None)], now_ms=5)
    assert everything(database)[0].state == "released"
    refuse(log_client, refusal({"event": "A"}))
    move_refusals(log_client, database)
    assert [(one.state, one.count) for one in everything(database)] == [("held", 2)]


def test_what_was_discarded_stays_discarded(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": "A"}))
    move_refusals(log_client, database)
    assert desk.discard(database, Wanted(), reason="junk", now_ms=5) == 1
    refuse(log_client, refusal({"event": "A"}))
    move_refusals(log_client, database)
    assert [(one.state, one.count) for one in everything(database)] == [("discarded", 2)]


def test_bytes_that_are_no_text_are_kept_as_they_are(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, body(b"\xff\x00\xfe"))
    move_refusals(log_client, database)
    (found,) = everything(database)
    assert (found.raw, found.rule, found.wrong) == (b"\xff\x00\xfe", "invalid_json", "the body is not JSON")


def test_members_of_any_type_are_read(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": {"a": 1}, "userId": 7, "messageId": ["x"], "type": "a\0b"}))
    move_refusals(log_client, database)
    (found,) = everything(database)
    assert (found.event, found.user, found.message_id, found.type) == ("", "7", "", "a\N{REPLACEMENT CHARACTER}b")


def test_a_record_that_cannot_be_read_is_kept_for_a_person(log_client: redis.Redis, database: Engine) -> None:
    log_client.xadd(keys.refused(0, "web"), {"record": b"{"})
    refuse(log_client, refusal({"event": "A"}))
    assert move_refusals(log_client, database) == 2
    assert {one.rule for one in everything(database)} == {"unreadable", "userId:anyOf"}


def test_what_came_long_ago_is_forgotten(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, refusal({"event": "A"}, at=AT))
    move_refusals(log_client, database)
    (found,) = everything(database)
    assert desk.drop_old(database, now_ms=found.state_at_ms + desk.KEPT_MS) == 0
    assert desk.drop_old(database, now_ms=found.state_at_ms + desk.KEPT_MS + 1) == 1
    assert everything(database) == []


def test_refusals_are_counted_by_source_and_rule(log_client: redis.Redis, database: Engine) -> None:
    refuse(log_client, *[refusal({"event": "A"})] * 3, refusal({"event": "B"}), body(b"{"))
    move_refusals(log_client, database)
    most, least = desk.groups(database, Wanted(state="held"))
    assert (most.rule, most.arrivals, most.refusals) == ("userId:anyOf", 4, 2)
    assert (least.rule, least.arrivals, least.refusals) == ("invalid_json", 1, 1)
