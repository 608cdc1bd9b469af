"""Dead letters on their way from the log into the database: each once, whatever happens between."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import redis
from sqlalchemy import Engine

from tests.worker import rig
from tests.worker.letters.letters import PARTITIONS, bury, everything, letter, moved
from worker import keys
from worker.database.tables import DEAD_LETTERS
from worker.letters.moving import move_letters
from worker.letters.resend import resend


class Torn(Exception):
    """The crash."""


class CrashesBeforeDeleting:
    """A client whose process dies between the two stores."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def xdel(self, *_: object) -> None:
        raise Torn


def test_a_letter_is_moved_with_all_that_was_written_down(log_client: redis.Redis, database: Engine) -> None:
    (found,) = moved(log_client, database, letter("m1", request="POST /hook", answer="400 no"))
    assert (found.message_id, found.destination, found.source, found.line) == ("m1", "hook", "web", "web")
    assert (found.reason, found.code, found.cause) == ("answered 400: no", "400", "answered 400: no")
    assert (found.request, found.answer, found.attempts) == ("POST /hook", "400 no", 1)
    assert found.trail[0]["reason"] == "answered 400: no"
    assert bytes(found.message) == rig.body("m1", user="u1")
    assert found.state == "dead"
    assert log_client.xlen(keys.dead(0, "hook")) == 0


def test_a_crash_before_deleting_moves_nothing_twice(log_client: redis.Redis, database: Engine) -> None:
    bury(log_client, letter("m1"), letter("m2", number=1))
    with pytest.raises(Torn):
        move_letters(CrashesBeforeDeleting(log_client), database)  # type: ignore[arg-type]  # it stands in for one
    bury(log_client, letter("m3", number=2))
    assert move_letters(log_client, database) == 1
    assert [one.message_id for one in everything(database)] == ["m1", "m2", "m3"]
    assert log_client.xlen(keys.dead(0, "hook")) == 0


def test_many_letters_moved_by_many_at_once_are_all_there_once(
    log_client: redis.Redis, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.moving.AT_ONCE", 7)
    bury(log_client, *(letter(f"m{n}", number=n) for n in range(100)))
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: move_letters(log_client, database), range(4)))
    assert sum(counts) == 100
    assert sorted(one.message_id for one in everything(database)) == sorted(f"m{n}" for n in range(100))


def test_letters_of_all_partitions_are_found_also_of_what_is_not_configured(
    log_client: redis.Redis, database: Engine
) -> None:
    bury(log_client, letter("m1"), partition=0)
    bury(log_client, letter("m2"), partition=3)
    bury(log_client, letter("m3", destination="gone"), partition=3)
    assert move_letters(log_client, database) == 3
    assert {(one.destination, one.partition) for one in everything(database)} == {("hook", 0), ("hook", 3), ("gone", 3)}


def test_the_same_position_in_two_partitions_is_two_letters(log_client: redis.Redis, database: Engine) -> None:
    bury(log_client, letter("m1"), partition=0)
    bury(log_client, letter("m2"), partition=1)
    assert move_letters(log_client, database) == 2


def test_a_letter_written_by_an_earlier_version_is_read(log_client: redis.Redis, database: Engine) -> None:
    old = {
        "messageId": "m1",
        "source": "web",
        "destination": "hook",
        "position": "1-0/0",
        "reason": "no",
        "code": "400",
        "attempts": 2,
        "diedAtMs": 5,
        "message": msgspec.Raw(rig.body("m1", user="ann")),
    }
    (found,) = moved(log_client, database, msgspec.json.encode(old))
    assert (found.line, found.user, found.type, found.event) == ("web", "ann", "track", "E")
    assert (found.attempts, found.died_at_ms, found.trail) == (2, 5, [])


def test_a_record_that_cannot_be_read_is_kept_for_a_person_and_holds_up_no_other(
    log_client: redis.Redis, database: Engine
) -> None:
    log_client.xadd(keys.dead(0, "hook"), {"letter": b"\xff not JSON"})
    found = moved(log_client, database, letter("m2"))
    assert [(one.code, one.message_id) for one in found] == [("unreadable", ""), ("400", "m2")]
    assert b"not JSON" in bytes(found[0].message)


def test_a_message_that_was_sent_again_and_died_again_is_the_same_letter(
    log_client: redis.Redis, database: Engine
) -> None:
    (before,) = moved(log_client, database, letter("m1", attempts=3))
    resend(log_client, database, [before.id], partitions=PARTITIONS)
    died_again = letter("m1", attempts=2, firstFailedAtMs=9, reason="worse", code="500")
    (after,) = moved(log_client, database, died_again)
    assert (after.id, after.state, after.retries) == (before.id, "dead", 1)
    assert (after.attempts, after.reason, after.code) == (5, "worse", "500")
    assert after.first_failed_at_ms == before.first_failed_at_ms
    assert len(after.trail) == 2


def test_one_that_went_to_another_partition_and_died_there_is_known_by_its_name(
    log_client: redis.Redis, database: Engine
) -> None:
    (before,) = moved(log_client, database, letter("m1"))
    resend(log_client, database, [before.id], partitions=PARTITIONS)
    (after,) = moved(log_client, database, letter("m1", line="web~retry~hook", number=9))
    assert (after.id, after.state, after.line) == (before.id, "dead", "web~retry~hook")


def test_another_message_of_the_same_name_is_another_letter(log_client: redis.Redis, database: Engine) -> None:
    (before,) = moved(log_client, database, letter("m1"))
    resend(log_client, database, [before.id], partitions=PARTITIONS)
    found = moved(log_client, database, letter("m1", number=9))
    assert [(one.position, one.state) for one in found] == [
        ("1700000000000-0/0", "retried"),
        ("1700000000000-9/0", "dead"),
    ]


def test_what_postgresql_cannot_hold_in_a_text_is_replaced(log_client: redis.Redis, database: Engine) -> None:
    (found,) = moved(log_client, database, letter("m1", reason="a\0b", user="u\0", event="e" * 5_000))
    assert found.reason == "a\N{REPLACEMENT CHARACTER}b"
    assert found.user == "u\N{REPLACEMENT CHARACTER}"
    assert len(found.event) == 200


def test_the_database_away_leaves_the_letters_where_they_are(log_client: redis.Redis, database: Engine) -> None:
    bury(log_client, letter("m1"))
    with database.begin() as connection:
        DEAD_LETTERS.drop(connection)
    with pytest.raises(Exception, match="dead_letters"):
        move_letters(log_client, database)
    assert log_client.xlen(keys.dead(0, "hook")) == 1
