"""Passages reach the database once."""

import threading
from typing import Any

import msgspec
import pytest
import redis
from sqlalchemy import Engine, select

from destinations.outcome import Exchange
from destinations.sql.engine import reading
from tests.worker.stories.rig import at, delivered, kept, passage, tell
from worker import keys
from worker.config import Config
from worker.database.story_tables import EXCHANGES, STORY_PROGRESS
from worker.stories import moving
from worker.stories.moving import move_stories
from worker.story import Part, sortable


def test_what_was_told_is_kept_and_leaves_the_log(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    said = Exchange("POST /in", "HTTP 503 busy", 7)
    failed = Part("failed", attempt=2, reason="HTTP 503", code="busy", due_ms=99, exchange=said)
    tell(log_client, delivered(at(1), at(2)), passage(failed, first=at(3), last=at(4)))
    assert move_stories(log_client, engine, config) == 2
    first, second = kept(engine)
    assert (first.fate, first.first, first.last) == ("delivered", sortable(at(1)), sortable(at(2)))
    assert (second.fate, second.attempt, second.reason, second.code, second.due_ms) == (
        "failed",
        2,
        "HTTP 503",
        "busy",
        99,
    )
    with reading(engine) as connection:
        (exchange,) = connection.execute(select(EXCHANGES)).all()
    assert (exchange.id, exchange.request, exchange.answer, exchange.took_ms) == (
        second.exchange_id,
        "POST /in",
        "HTTP 503 busy",
        7,
    )
    assert log_client.xlen(keys.story(0)) == 0


def test_a_crash_before_the_log_forgets_moves_nothing_twice(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    tell(log_client, delivered(at(1), at(1)))
    entries: Any = log_client.xrange(keys.story(0))
    move_stories(log_client, engine, config)
    log_client.delete(keys.story(0))
    for entry_id, fields in entries:
        log_client.xadd(keys.story(0), fields, id=entry_id)
    tell(log_client, passage(Part("failed"), first=at(2), last=at(2)))
    assert move_stories(log_client, engine, config) == 1
    assert [row.fate for row in kept(engine)] == ["delivered", "failed"]


def test_two_movers_at_once_move_everything_once(
    log_client: redis.Redis, engine: Engine, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 3)
    for number in range(1, 101):
        tell(log_client, passage(Part("failed"), first=at(number), last=at(number)))
    moved: list[int] = []
    movers = [threading.Thread(target=lambda: moved.append(move_stories(log_client, engine, config))) for _ in range(3)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    assert sum(moved) == 100
    assert [row.first for row in kept(engine)] == [sortable(at(number)) for number in range(1, 101)]


def test_every_partition_is_moved(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    tell(log_client, delivered(at(1), at(1)), partition=3)
    eight = msgspec.structs.replace(config, log=msgspec.structs.replace(config.log, partitions=8))
    move_stories(log_client, engine, eight)
    assert [row.partition for row in kept(engine)] == [3]


def test_passages_that_were_cut_off_before_they_were_moved_are_noticed(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    for number in range(1, 5):
        tell(log_client, delivered(at(number), at(number)))
    move_stories(log_client, engine, config)
    for number in range(5, 10):
        tell(log_client, delivered(at(number), at(number)))
    assert lost_ms(engine) == 0
    log_client.xtrim(keys.story(0), maxlen=2, approximate=False)
    move_stories(log_client, engine, config)
    assert lost_ms(engine) > 0
    assert len(kept(engine)) == 2, "what is left is moved"


def test_nul_in_an_answer_does_not_stop_the_mover(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    tell(log_client, passage(Part("failed", reason="a\0b", exchange=Exchange("\0", "\0")), first=at(1), last=at(1)))
    assert move_stories(log_client, engine, config) == 1


def lost_ms(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(STORY_PROGRESS.c.lost_ms)).scalar() or 0)
