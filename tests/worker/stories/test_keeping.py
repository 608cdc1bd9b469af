"""How long stories are remembered."""

import msgspec
import redis
from sqlalchemy import Engine

from destinations.outcome import Exchange
from destinations.sql.engine import reading
from tests.worker.stories.rig import at, delivered, kept, passage, tell
from worker.config import Config, StorySettings
from worker.stories.keeping import ROW_BYTES, forget, horizon, size
from worker.stories.moving import move_stories
from worker.story import Part, Passage

DAY_MS = 86_400_000
NOW = 100 * DAY_MS
SAID = Exchange("POST /", "HTTP 500")


def failed(number: int, *, at_ms: int) -> Passage:
    return passage(Part("failed", reason="500", exchange=SAID), first=at(number), last=at(number), at_ms=at_ms)


def test_deliveries_go_first_and_failures_later(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    tell(log_client, delivered(at(1), at(1), at_ms=NOW - 31 * DAY_MS), failed(2, at_ms=NOW - 31 * DAY_MS))
    tell(log_client, delivered(at(3), at(3), at_ms=NOW - 8 * DAY_MS), failed(4, at_ms=NOW - 8 * DAY_MS))
    tell(log_client, delivered(at(5), at(5), at_ms=NOW - DAY_MS))
    move_stories(log_client, engine, config)
    assert forget(engine, config, now_ms=NOW) == 3
    assert [(row.fate, row.at_ms) for row in kept(engine)] == [
        ("failed", NOW - 8 * DAY_MS),
        ("delivered", NOW - DAY_MS),
    ]
    with reading(engine) as connection:
        assert horizon(connection, "deliveries") == NOW - 8 * DAY_MS + 1
        assert horizon(connection, "failures") == NOW - 31 * DAY_MS + 1


def test_a_delivery_after_failures_stays_as_long_as_these(
    log_client: redis.Redis, engine: Engine, config: Config
) -> None:
    late = passage(Part("delivered", attempt=2), first=at(1), last=at(1), at_ms=NOW - 8 * DAY_MS)
    tell(log_client, failed(1, at_ms=NOW - 8 * DAY_MS), late)
    move_stories(log_client, engine, config)
    assert forget(engine, config, now_ms=NOW) == 0


def test_too_much_drops_the_oldest_deliveries(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    for number in range(1, 4):
        tell(log_client, failed(number, at_ms=NOW), delivered(at(number), at(number), at_ms=NOW))
    move_stories(log_client, engine, config)
    small = msgspec.structs.replace(
        config, story=StorySettings(most_bytes=type(config.story.most_bytes)(4 * ROW_BYTES))
    )
    assert forget(engine, small, now_ms=NOW) == 3
    assert {row.fate for row in kept(engine)} == {"failed"}
    with reading(engine) as connection:
        assert size(connection) <= 4 * ROW_BYTES


def test_what_is_young_and_little_stays(log_client: redis.Redis, engine: Engine, config: Config) -> None:
    tell(log_client, delivered(at(1), at(1), at_ms=NOW))
    move_stories(log_client, engine, config)
    assert forget(engine, config, now_ms=NOW) == 0
    with reading(engine) as connection:
        assert horizon(connection, "deliveries") == 0
