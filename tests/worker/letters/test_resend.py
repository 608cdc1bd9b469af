"""Sending dead letters again: once each, in order, with the accounts kept right."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import redis
from sqlalchemy import Engine

from tests.worker import rig
from tests.worker.letters.letters import PARTITIONS, bury, dead_count, entries, everything, letter, moved, sent_again
from worker import keys, scripts
from worker.database.tables import DEAD_LETTERS
from worker.groups import groups_of
from worker.letters import desk
from worker.letters.desk import Wanted
from worker.letters.moving import move_letters
from worker.letters.resend import finish, forget_tokens, resend, sendable

ROUTES = {"web": ("hook", "other")}
LATER = int(time.time() * 1000) + 86_400_000


class Away(Exception):
    """The crash."""


class DiesAt:
    """A client whose process dies at the n-th script, before it runs or after it has run."""

    def __init__(self, client: "redis.Redis", number: int, *, after: bool) -> None:
        self._client = client
        self._left = number
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def evalsha(self, *words: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            if self._after:
                scripts.run(self._client, scripts.RESEND, words[2 : 2 + words[1]], words[2 + words[1] :])
            raise Away
        return self._client.evalsha(*words)


def all_of(engine: Engine, **wanted: Any) -> list[int]:
    return sendable(engine, Wanted(**wanted), ROUTES)


def test_a_letter_sent_again_lies_in_the_retry_line_and_waits(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    assert dead_count(log_client) == 1
    assert resend(log_client, database, [one.id], partitions=PARTITIONS) == 1
    assert sent_again(log_client) == ["m1"]
    assert dead_count(log_client) == 0
    partition = keys.partition_of("web", "u1", PARTITIONS)
    assert log_client.smembers(keys.lines(partition)) == {b"web~retry~hook"}
    assert log_client.zscore(keys.ready(partition, "hook"), "web~retry~hook") is not None
    assert list(groups_of(log_client, keys.log(partition, "web~retry~hook"))) == ["hook"]
    assert everything(database)[0].state == "retried"


def test_a_letter_is_sent_again_once_however_often_it_is_asked_for(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    assert resend(log_client, database, [one.id], partitions=PARTITIONS) == 1
    assert resend(log_client, database, [one.id], partitions=PARTITIONS) == 0
    assert sent_again(log_client) == ["m1"]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_in_the_middle_sends_nothing_twice_and_leaves_nothing_out(
    log_client: redis.Redis, database: Engine, number: int, after: bool
) -> None:
    names = [f"m{n}" for n in range(40)]
    moved(log_client, database, *(letter(name, number=n, user=f"u{n}") for n, name in enumerate(names)))
    scripts.run(log_client, scripts.RESEND, ["{p00}:none", *"abcd"], ["hook", "none", 1, 1])
    log_client.flushdb()
    torn = DiesAt(log_client, number, after=after)
    with pytest.raises(Away):
        resend(torn, database, all_of(database), partitions=PARTITIONS)  # type: ignore[arg-type]  # it stands in for one
    assert {one.state for one in everything(database)} == {"retrying"}
    assert finish(log_client, database, partitions=PARTITIONS) == 0, "whoever claimed them may be at work still"
    assert finish(log_client, database, partitions=PARTITIONS, now_ms=LATER) == 40
    assert finish(log_client, database, partitions=PARTITIONS, now_ms=LATER) == 0
    assert sorted(sent_again(log_client)) == sorted(names)
    assert {one.state for one in everything(database)} == {"retried"}


def test_two_who_send_all_again_at_once_send_each_once(
    log_client: redis.Redis, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.letters.resend.AT_ONCE", 10)
    moved(log_client, database, *(letter(f"m{n}", number=n, user=f"u{n}") for n in range(100)))
    numbers = all_of(database)
    with ThreadPoolExecutor(3) as pool:
        claimed = list(pool.map(lambda _: resend(log_client, database, numbers, partitions=PARTITIONS), range(3)))
    assert sum(claimed) == 100
    assert sorted(sent_again(log_client)) == sorted(f"m{n}" for n in range(100))


def test_the_messages_of_a_user_are_sent_again_in_the_order_in_which_they_came(
    log_client: redis.Redis, database: Engine
) -> None:
    late = letter("late", number=1, receivedAt="2024-02-29T12:00:09.000Z")
    early = letter("early", number=2, receivedAt="2024-02-29T12:00:01.000Z")
    moved(log_client, database, late, early)
    resend(log_client, database, all_of(database), partitions=PARTITIONS)
    assert sent_again(log_client) == ["early", "late"]


def test_a_letter_that_has_died_again_can_be_sent_again(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    resend(log_client, database, [one.id], partitions=PARTITIONS)
    moved(log_client, database, letter("m1"))
    assert resend(log_client, database, [one.id], partitions=PARTITIONS) == 1
    assert sent_again(log_client) == ["m1", "m1"]
    assert dead_count(log_client) == 0


def test_a_letter_of_a_replay_goes_back_into_its_replay(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1", line="web~r5f3a~hook"))
    resend(log_client, database, [one.id], partitions=PARTITIONS)
    assert sent_again(log_client, "web~r5f3a~hook") == ["m1"]
    assert dead_count(log_client, "web~r5f3a~hook") == -1, "the death was counted there"


def test_a_letter_whose_destination_is_gone_stays(log_client: redis.Redis, database: Engine) -> None:
    moved(log_client, database, letter("m1"), letter("m2", number=1, destination="gone"))
    assert len(all_of(database)) == 1


def test_a_discarded_letter_can_be_sent_again_by_its_number(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    assert desk.discard(database, Wanted(ids=(one.id,)), reason="no use", now_ms=1) == 1
    assert all_of(database, state="dead") == []
    assert all_of(database, ids=(one.id,)) == [one.id]


def test_old_tokens_are_forgotten_only_when_nobody_has_a_letter_in_hand(
    log_client: redis.Redis, database: Engine
) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    resend(log_client, database, [one.id], partitions=PARTITIONS)
    at = keys.resent(keys.partition_of("web", "u1", PARTITIONS))
    forget_tokens(log_client, database, partitions=PARTITIONS)
    assert log_client.zcard(at) == 1, "too young"
    log_client.zadd(at, {f"{one.id}:1": 1.0})
    with database.begin() as connection:
        connection.execute(DEAD_LETTERS.update().values(state="retrying"))
    forget_tokens(log_client, database, partitions=PARTITIONS)
    assert log_client.zcard(at) == 1, "in hand"
    finish(log_client, database, partitions=PARTITIONS, now_ms=LATER)
    forget_tokens(log_client, database, partitions=PARTITIONS)
    assert log_client.zcard(at) == 0
    assert sent_again(log_client) == ["m1"]


def test_many_messages_share_an_entry(log_client: redis.Redis, database: Engine) -> None:
    moved(log_client, database, *(letter(f"m{n}", number=n) for n in range(250)))
    resend(log_client, database, all_of(database), partitions=PARTITIONS)
    found = entries(log_client, keys.partition_of("web", "u1", PARTITIONS), "web~retry~hook")
    assert [int(fields[b"n"]) for fields in found] == [100, 100, 50]


def test_each_letter_goes_with_the_place_that_it_died_in(log_client: redis.Redis, database: Engine) -> None:
    home = keys.partition_of("web", "u1", PARTITIONS)
    bury(log_client, letter("m1", number=1), letter("m2", number=2, line="web~retry~hook"), partition=home)
    bury(log_client, letter("m3", number=3), letter("m4", number=4), partition=home)
    move_letters(log_client, database)
    resend(log_client, database, all_of(database), partitions=PARTITIONS)
    found = entries(log_client, home, "web~retry~hook")
    assert [(fields[b"l"], fields[b"o"]) for fields in found] == [
        (b"web", b"1700000000000-1/0"),
        (b"web~retry~hook", b"1700000000000-2/0"),
        (b"web", b"1700000000000-3/0 1700000000000-4/0"),
    ]


def test_a_letter_that_belongs_to_another_partition_now_goes_without_a_place(
    log_client: redis.Redis, database: Engine
) -> None:
    home = keys.partition_of("web", "u1", PARTITIONS)
    bury(log_client, letter("m1"), partition=(home + 1) % PARTITIONS)
    bury(log_client, letter("m2", number=1), partition=home)
    move_letters(log_client, database)
    resend(log_client, database, all_of(database), partitions=PARTITIONS)
    found = entries(log_client, home, "web~retry~hook")
    assert [fields.get(b"o") for fields in found] == [None, b"1700000000000-1/0"]


def test_progress_is_told_step_by_step(
    log_client: redis.Redis, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.letters.resend.AT_ONCE", 10)
    moved(log_client, database, *(letter(f"m{n}", number=n) for n in range(25)))
    told: list[int] = []
    resend(log_client, database, all_of(database), partitions=PARTITIONS, sent=told.append)
    assert told == [10, 10, 5]


def test_a_message_that_is_edited_travels_as_edited(log_client: redis.Redis, database: Engine) -> None:
    (one,) = moved(log_client, database, letter("m1"))
    changed = msgspec.json.encode({**msgspec.json.decode(rig.body("m1", user="u1")), "event": "Better"})
    assert desk.edit(database, one.id, changed, now_ms=1)
    resend(log_client, database, [one.id], partitions=PARTITIONS)
    (entry,) = entries(log_client, keys.partition_of("web", "u1", PARTITIONS), "web~retry~hook")
    assert msgspec.json.decode(entry[b"m"])["event"] == "Better"


def test_letters_of_several_partitions_are_moved_then_sent_to_where_their_users_are(
    log_client: redis.Redis, database: Engine
) -> None:
    for partition in range(PARTITIONS):
        bury(log_client, letter(f"m{partition}", user=f"u{partition}"), partition=partition)
    move_letters(log_client, database)
    resend(log_client, database, all_of(database), partitions=PARTITIONS)
    assert sorted(sent_again(log_client)) == ["m0", "m1", "m2", "m3"]
    assert dead_count(log_client) == 0
