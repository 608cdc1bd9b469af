"""The story of a message is complete and true."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from sqlalchemy import Engine, insert

from destinations.outcome import Exchange
from destinations.sql.engine import writing
from tests.worker.audit.rig import World, config
from tests.worker.rig import append, body, server_ms
from worker import keys
from worker.database.tables import REFUSALS
from worker.stories.story import Copy, Journey, Story
from worker.stories.where import story_of
from worker.story import Part, Passage


@pytest.fixture
def world(log_client: redis.Redis, database: Engine, tmp_path: Path) -> World:
    return World(log_client, database, config(tmp_path))


def told(world: World, name: str) -> Story:
    return story_of(world.stores, name)


def only(story: Story) -> Copy:
    (copy,) = story.copies
    return copy


def journey(story: Story, destination: str = "hook") -> Journey:
    return next(one for one in only(story).journeys if one.destination == destination)


def retried(world: World, *parts: Part) -> None:
    """What a retry lane tells: every part names its positions."""
    world.tell(Passage(line="web", destination="hook", at_ms=server_ms(), parts=parts))


def aside(world: World, *positions: str, attempts: int = 1) -> None:
    """A lane of one user with these messages."""
    for position in positions:
        put = {
            "position": position,
            "line": "web",
            "received_ms": 1,
            "message": {"messageId": "?"},
            "attempts": attempts,
        }
        world.client.rpush(keys.lane_of(0, "hook", "u"), msgspec.json.encode(put))
    world.client.zadd(keys.aside(0, "hook"), {"u": 1_700_000_000_000})


def test_a_message_that_was_delivered_everywhere(world: World) -> None:
    positions = world.accept("a", "b")
    world.archive(positions)
    world.deliver(positions)
    story = told(world, "b")
    copy = only(story)
    assert (copy.source, copy.partition, copy.position, copy.type, copy.user) == ("web", 0, positions[1], "track", "u")
    assert copy.found_in == ("the archive", "the log")
    assert copy.received_at == "2024-02-29T12:00:00.000Z"
    assert [(one.destination, one.state) for one in copy.journeys] == [("hook", "delivered"), ("archive", "delivered")]
    world.trim()
    assert only(told(world, "b")).found_in == ("the archive",)


def test_a_message_that_waits_for_its_turn(world: World) -> None:
    world.accept("a")
    world.accept("b")
    assert journey(told(world, "a")).waits_for == "its turn: it is the next"
    assert journey(told(world, "b")).waits_for == "its turn: 1 entries are before it"


def test_a_message_whose_destination_is_out(world: World) -> None:
    world.accept("a")
    world.client.hset(keys.out("hook"), mapping={"until": 1_700_000_000_000, "reason": "HTTP 503"})
    found = journey(told(world, "a"))
    assert found.state == "waiting"
    assert found.waits_for.endswith("hook is out (HTTP 503), next attempt at 2023-11-14T22:13:20.000Z")


def test_a_message_whose_destination_somebody_paused(world: World) -> None:
    world.accept("a")
    world.client.hset(keys.out("hook"), mapping={"reason": "moving house", "scope": "operator"})
    assert journey(told(world, "a")).waits_for.endswith("hook is paused (moving house), until somebody resumes it")


def test_every_attempt_is_told_with_what_was_said(world: World) -> None:
    (position,) = world.accept("a")
    said = Exchange("POST /in", "HTTP 500 oops", 12)
    failed = Part("aside", reason="HTTP 500", due_ms=server_ms() + 1000, positions=(position,), exchange=said)
    world.carry("hook", failed, first="", last="")
    aside(world, position)
    found = journey(told(world, "a"))
    assert (found.state, found.waits_for) == ("waiting", "its own next attempt, due at 2023-11-14T22:13:20.000Z")
    (step,) = found.steps
    assert (step.fate, step.attempt, step.reason, step.exchange) == ("aside", 1, "HTTP 500", said)
    world.client.delete(keys.lane_of(0, "hook", "u"))
    retried(world, Part("delivered", attempt=2, positions=(position,)))
    found = journey(told(world, "a"))
    assert (found.state, [step.fate for step in found.steps]) == ("delivered", ["aside", "delivered"])


def test_a_message_behind_another_one_of_its_user(world: World) -> None:
    positions = world.accept("a", "b")
    parts = Part("aside", reason="500", positions=(positions[0],)), Part("behind", positions=(positions[1],))
    world.carry("hook", *parts, first="", last="")
    aside(world, *positions)
    assert journey(told(world, "b")).waits_for == "an earlier message of its user, due at 2023-11-14T22:13:20.000Z"


def test_a_message_that_was_filtered(world: World) -> None:
    (position,) = world.accept("a")
    world.carry("hook", Part("filtered", reason="FILTERED_BY_INTEGRATIONS_OBJECT"), first=position, last=position)
    found = journey(told(world, "a"))
    assert (found.state, found.steps[0].reason) == ("filtered", "FILTERED_BY_INTEGRATIONS_OBJECT")


def test_a_message_that_died(world: World) -> None:
    (position,) = world.accept("a")
    world.carry("hook", Part("dead", reason="HTTP 400", code="http_400"), first=position, last=position)
    world.letter("a", position)
    found = journey(told(world, "a"))
    assert found.state == "dead"
    assert found.letter is not None
    assert "dead letter 1" in only(told(world, "a")).found_in


def test_a_message_that_was_sent_again_and_has_arrived(world: World) -> None:
    (position,) = world.accept("a")
    world.carry("hook", Part("dead", reason="HTTP 400"), first=position, last=position)
    world.letter("a", position, state="retried", state_at=server_ms(), retries=1)
    retried(world, Part("delivered", positions=(position,)))
    found = journey(told(world, "a"))
    assert (found.state, [step.fate for step in found.steps]) == ("delivered", ["dead", "delivered"])
    assert found.letter is not None, "it belongs to the story"


def test_a_message_that_is_being_sent_again(world: World) -> None:
    (position,) = world.accept("a")
    world.carry("hook", Part("dead", reason="HTTP 400"), first=position, last=position)
    world.letter("a", position, state="retried", state_at=server_ms(), retries=1)
    line = keys.log(0, "web~retry~hook")
    entry: Any = world.client.xadd(line, {"n": 1, "m": body("a"), "l": "web", "o": position})
    world.client.xgroup_create(line, "hook", "0")
    world.client.sadd(keys.lines(0), "web~retry~hook")
    story = told(world, "a")
    assert only(story).position == position, "it is no copy of its own"
    assert "the line web~retry~hook" in only(story).found_in
    assert (journey(story).state, journey(story).waits_for) == ("waiting", "its turn in web~retry~hook")
    world.client.xreadgroup("hook", "c", {line: ">"})
    assert journey(told(world, "a")).state == "waiting"
    world.client.xack(line, "hook", entry)
    assert journey(told(world, "a")).state == "resent"


def test_a_message_that_a_detached_destination_has_not_got(world: World) -> None:
    (position,) = world.accept("a")
    before = int(position.partition("-")[0]) - 1
    world.client.xgroup_destroy(keys.log(0, "web"), "hook")
    world.client.hset(keys.detached(0, "hook"), "web", f"{before}-0")
    found = journey(told(world, "a"))
    assert (found.state, found.waits_for) == (
        "waiting",
        "its turn: hook is detached, and catches up from the archive",
    )


def test_a_message_that_nothing_is_told_of(world: World) -> None:
    world.accept("a")
    world.carry("hook", Part("delivered", positions=()), first="", last="")
    assert journey(told(world, "a")).state == "unknown"


def test_a_message_in_two_places_at_the_door(world: World) -> None:
    world.accept("a")
    values: dict[str, Any] = {column.name: "" for column in REFUSALS.columns if str(column.type) == "TEXT"}
    numbers = dict.fromkeys(("received_at", "last_at", "state_at", "size"), 1)
    about = {"source": "web", "message_id": "a", "raw": b"{}", "count": 3, "edited": False, "wrong": "event is missing"}
    with writing(world.engine) as connection:
        connection.execute(insert(REFUSALS).values(**values | numbers | about))
    story = told(world, "a")
    assert len(story.copies) == 1
    assert [(one.times, one.wrong) for one in story.refused] == [(3, "event is missing")]


def test_a_message_that_nobody_knows(world: World) -> None:
    world.accept("a")
    story = told(world, "z")
    assert not story.known
    assert story.looked_in[0].startswith("the archive of web in ")
    assert story.looked_in[1:] == ("the log and its retry lanes", "the dead letters", "the quarantine")


def test_notes_of_the_normalisation_are_told(world: World) -> None:
    notes = [{"path": "timestamp", "rule": "not_a_date", "was": "yesterday"}]
    at = "2024-02-29T12:00:00.000Z"
    message = {
        "type": "track",
        "messageId": "a",
        "userId": "u",
        "event": "E",
        "timestamp": at,
        "receivedAt": at,
        "_turnout": {"notes": notes},
    }
    append(world.client, world.terms, "a", bodies=[msgspec.json.encode(message)])
    assert list(only(told(world, "a")).notes) == notes


def test_an_id_with_letters_that_json_writes_otherwise_is_found(world: World) -> None:
    name = 'a"\\ü'
    world.accept(name)
    assert told(world, name).known
