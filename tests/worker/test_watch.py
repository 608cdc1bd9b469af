"""Watching messages as they come."""

from collections.abc import Iterator

import msgspec
import redis

from tests.worker.rig import Line, Scripted, append, terms
from worker import keys, watch
from worker.config import Config, LogSettings, Source

CONFIG = Config(
    log=LogSettings(partitions=2),
    sources={"web": Source(destinations=("hook",)), "app": Source(destinations=("hook",))},
)
ABOUT = terms("hook", sources=("web", "app"))


def names(found: Iterator[tuple[str, bytes]], count: int) -> list[tuple[str, str]]:
    """So many messages; the signs of life between them left out."""
    seen: list[tuple[str, str]] = []
    while len(seen) < count:
        source, body = next(found)
        if body:
            seen.append((source, msgspec.json.decode(body)["messageId"]))
    return seen


def test_new_messages_are_seen_and_old_ones_are_not(log_client: redis.Redis) -> None:
    append(log_client, ABOUT, "old")
    follow = watch.follow(log_client, CONFIG)
    assert next(follow) == ("", b""), "nothing came for a while"
    append(log_client, ABOUT, "a", "b")
    append(log_client, ABOUT, "c", source="app")
    assert sorted(names(follow, 3)) == [("app", "c"), ("web", "a"), ("web", "b")]


def test_the_last_messages_before_now_come_first_in_their_order(log_client: redis.Redis) -> None:
    append(log_client, ABOUT, "a", "b", "c")
    append(log_client, ABOUT, "d", source="app")
    append(log_client, ABOUT, "e")
    follow = watch.follow(log_client, CONFIG, last=3)
    found = names(follow, 3)
    # Two streams may get entries in the same millisecond: then there is no first.
    assert sorted(found) == [("app", "d"), ("web", "c"), ("web", "e")]
    assert found.index(("web", "c")) < found.index(("web", "e"))
    append(log_client, ABOUT, "f")
    assert names(follow, 1) == [("web", "f")]


def test_a_source_may_speak_for_the_first_time_while_one_watches(log_client: redis.Redis) -> None:
    follow = watch.follow(log_client, CONFIG, last=5)
    assert next(follow) == ("", b"")
    append(log_client, ABOUT, "first", source="app")
    assert names(follow, 1) == [("app", "first")]


def test_watching_takes_nothing_from_the_destinations(line: Line) -> None:
    line.post("a")
    assert names(watch.follow(line.client, CONFIG, last=1), 1) == [("web", "a")]
    hook = Scripted()
    line.courier(hook).drain(0, "hook")
    assert hook.names() == ["a"]


def test_a_canary_is_no_message(log_client: redis.Redis) -> None:
    append(log_client, ABOUT, "a")
    log_client.xadd(keys.log(0, "web"), {"n": 0, "m": "", "c": 1_700_000_000_000})
    assert names(watch.follow(log_client, CONFIG, last=10), 1) == [("web", "a")]
    follow = watch.follow(log_client, CONFIG)
    assert next(follow) == ("", b"")
    log_client.xadd(keys.log(0, "web"), {"n": 0, "m": "", "c": 1_700_000_000_001})
    append(log_client, ABOUT, "b")
    assert names(follow, 1) == [("web", "b")]
