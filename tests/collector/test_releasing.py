"""What the quarantine lets go of: judged again, taken at its own time, once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis
from sqlalchemy import Engine

from collector import releasing
from collector.config import Config, config_of
from collector.quarantine import KEPT_BYTES
from collector.releasing import Released, release
from schemas.errors import Violation
from tests import databases
from tests.worker.refusals.refusals import body, refusal, refuse
from worker import keys
from worker.refusals import desk
from worker.refusals.desk import Refusal, Wanted
from worker.refusals.moving import move_refusals

TOO_LONG = (Violation("", "size", "at most 10 bytes long", "99 bytes long"),)
TEXT = """
[sources.web]
write_keys = ["a-long-write-key"]
[destinations.console]
type = "console"
[log]
partitions = 2
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(TEXT, None, {}, data=tmp_path)


@pytest.fixture
def engine(tmp_path: Path) -> "Any":
    with databases.opened(databases.in_file(tmp_path)) as engine:
        yield engine


def held(client: "redis.Redis", engine: Engine, *records: bytes) -> list[int]:
    refuse(client, *records)
    move_refusals(client, engine)
    return desk.in_order(engine, Wanted())


def stored(client: "redis.Redis") -> list[dict[str, Any]]:
    found = []
    for partition in range(2):
        rows = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.log(partition, "web")))
        found += [msgspec.json.decode(body) for _, fields in rows for body in fields[b"m"].split(b"\n")]
    return found


def amended(**members: Any) -> releasing.Rewrite:
    def rewrite(refusal: Refusal) -> bytes:
        return msgspec.json.encode({**msgspec.json.decode(refusal.raw), **members})

    return rewrite


def states(engine: Engine) -> Mapping[int, str]:
    return {one.id: one.state for one in desk.newest(engine, Wanted(), 100)}


def test_what_is_valid_now_is_taken_at_the_time_at_which_it_came(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    numbers = held(log_client, engine, refusal({"event": "A", "userId": "u", "messageId": "m1"}, wrong=TOO_LONG))
    assert release(log_client, engine, config, numbers) == Released(1, 1, ())
    (message,) = stored(log_client)
    assert (message["messageId"], message["type"], message["receivedAt"]) == ("m1", "track", "2024-02-29T12:00:00.000Z")
    assert log_client.hget(keys.count(keys.partition_of("web", "u", 2), "web"), "received") == b"1"
    assert log_client.zscore(keys.ready(keys.partition_of("web", "u", 2), "console"), "web") is not None
    assert states(engine) == {1: "released"}


def test_what_is_still_wrong_stays_and_says_why(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    numbers = held(log_client, engine, refusal({"event": "A"}))
    done = release(log_client, engine, config, numbers)
    assert (done.released, done.messages, done.still[0].id) == (0, 0, 1)
    assert "userId" in done.still[0].wrong
    assert states(engine) == {1: "held"}
    assert stored(log_client) == []


def test_what_was_repaired_is_taken_as_repaired(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    numbers = held(log_client, engine, refusal({"event": "A"}))
    assert release(log_client, engine, config, numbers, rewrite=amended(userId="u1")).released == 1
    assert stored(log_client)[0]["userId"] == "u1"
    found = desk.one(engine, 1)
    assert found is not None
    assert found.edited
    assert msgspec.json.decode(found.raw) == {"event": "A", "userId": "u1"}


def test_a_crash_before_it_is_marked_sends_nothing_twice(
    log_client: redis.Redis, engine: Engine, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = held(log_client, engine, refusal({"event": "A", "userId": "u"}, wrong=TOO_LONG))

    def crash(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(desk, "mark_released", crash)
        with pytest.raises(InterruptedError):
            release(log_client, engine, config, numbers)
    assert release(log_client, engine, config, numbers) == Released(1, 0, ())
    assert len(stored(log_client)) == 1
    assert release(log_client, engine, config, numbers) == Released(0, 0, ())


def test_what_the_client_has_sent_in_a_better_form_since_does_not_come_twice(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    same = {"event": "A", "userId": "u", "messageId": "m1"}
    numbers = held(log_client, engine, refusal(same, wrong=TOO_LONG), refusal({**same, "x": 1}, wrong=TOO_LONG))
    assert release(log_client, engine, config, numbers) == Released(2, 1, ())


def test_a_whole_request_is_read_as_its_path_would(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    batch = {
        "sentAt": "2024-02-29T12:00:00.000Z",
        "context": {"app": {"name": "shop"}},
        "batch": [
            {"type": "track", "event": "A", "userId": "u"},
            {"type": "identify", "userId": "u"},
            {"type": "track"},
        ],
    }
    single = {"event": "B", "userId": "u", "type": "identify"}
    records = [body(msgspec.json.encode(batch), path="/v1/b"), body(msgspec.json.encode(single), path="/v1/track")]
    done = release(log_client, engine, config, held(log_client, engine, *records))
    assert (done.released, done.messages) == (2, 3)
    types = sorted((message["type"], message.get("event", "")) for message in stored(log_client))
    assert types == [("identify", ""), ("track", "A"), ("track", "B")]
    assert all(m["context"]["app"] == {"name": "shop"} for m in stored(log_client) if m.get("event") != "B")


def test_what_is_wrong_in_a_request_that_was_released_is_held_by_itself(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    batch = {"batch": [{"type": "track", "event": "A", "userId": "u"}, {"type": "track", "event": "no user"}]}
    release(log_client, engine, config, held(log_client, engine, body(msgspec.json.encode(batch))))
    assert states(engine) == {1: "released", 2: "held"}
    left = desk.one(engine, 2)
    assert left is not None
    assert (left.kind, left.event, left.received_at_ms) == ("message", "no user", 1_709_208_000_000)


@pytest.mark.parametrize("raw", [b"{", b"", b"[]", b'{"batch": 3}', b'{"batch": []}', b"\xff"])
def test_what_cannot_be_read_stays(log_client: redis.Redis, engine: Engine, config: Config, raw: bytes) -> None:
    done = release(log_client, engine, config, held(log_client, engine, body(raw)))
    assert done.released == 0
    assert done.still[0].wrong


def test_what_was_cut_stays(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    long = refusal({"event": "A", "userId": "u", "properties": {"x": "y" * (KEPT_BYTES + 10)}})
    done = release(log_client, engine, config, held(log_client, engine, long))
    assert "of which the rest is lost" in done.still[0].wrong


def test_a_user_in_another_dialect_is_repaired_in_its_words(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    nameless = (Violation("identifier", "dopt", "a non-empty string", "nothing", "no_identifier"),)
    numbers = held(log_client, engine, refusal({"name": "Ben"}, wrong=nameless, path="/identify/bulk"))
    assert release(log_client, engine, config, numbers).still[0].wrong.startswith('"identifier" is missing')
    assert release(log_client, engine, config, numbers, rewrite=amended(identifier="u2")) == Released(1, 1, ())
    (message,) = stored(log_client)
    assert (message["type"], message["userId"], message["traits"]) == ("identify", "u2", {"name": "Ben"})


def test_a_source_that_is_gone_keeps_what_it_was_sent(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    numbers = held(log_client, engine, refusal({"event": "A", "userId": "u"}, source="gone"))
    assert release(log_client, engine, config, numbers).still[0].wrong == "its source is no longer configured"


def test_many_are_released_in_the_order_in_which_they_came(
    log_client: redis.Redis, engine: Engine, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 3)
    records = [
        refusal({"event": f"E{n}", "userId": "u"}, wrong=TOO_LONG, at=f"2024-02-29T12:00:{10 - n:02}.000Z")
        for n in range(10)
    ]
    told: list[int] = []
    numbers = held(log_client, engine, *records)
    assert release(log_client, engine, config, numbers, done=told.append) == Released(10, 10, ())
    assert told == [3, 3, 3, 1]
    assert [message["event"] for message in stored(log_client)] == [f"E{9 - n}" for n in range(10)]


def test_a_repaired_request_of_openpanels_needs_no_secret_and_each_visitor_is_somebody_else(
    log_client: redis.Redis, engine: Engine, tmp_path: Path
) -> None:
    guarded = config_of(f'{TEXT}\n[sources.web.openpanel]\nsecret = "hush"', None, {}, data=tmp_path)
    unnamed = [b'{"type": "track", "payload": {"a": %d}}' % number for number in range(2)]
    numbers = held(log_client, engine, *(body(raw, path="/track") for raw in unnamed))

    def named(refusal: Refusal) -> bytes:
        payload = {**msgspec.json.decode(refusal.raw)["payload"], "name": "E", "properties": {"at": refusal.id}}
        return msgspec.json.encode({"type": "track", "payload": payload})

    assert release(log_client, engine, guarded, numbers, rewrite=named) == Released(2, 2, ())
    assert {message["event"] for message in stored(log_client)} == {"E"}
    assert len({message["anonymousId"] for message in stored(log_client)}) == 2
