"""A stream that is written anew is the same stream to all who work with it."""

import threading
from collections.abc import Sequence
from typing import Any

import redis

from tests.worker import rig
from worker import connect, keys
from worker.embedded import Server
from worker.forgetting import streams

STREAM = keys.log(0, "web")


def without(*names: str) -> streams.Replace:
    def replace(bodies: Sequence[bytes]) -> list[bytes] | None:
        new = [b"{}" if any(f'"{name}"'.encode() in body for name in names) else body for body in bodies]
        return new if new != list(bodies) else None

    return replace


def told(client: redis.Redis) -> tuple[Any, ...]:
    """All that readers of a stream go by."""
    about: Any = client.xinfo_stream(STREAM)
    groups: Any = client.xinfo_groups(STREAM)
    pending: Any = [client.xpending_range(STREAM, group["name"], "-", "+", 1_000) for group in groups]
    kept = ("length", "last-generated-id", "entries-added", "max-deleted-entry-id")
    return (
        [about[name] for name in kept],
        groups,
        [[(one["message_id"], one["consumer"], one["times_delivered"]) for one in each] for each in pending],
        client.xrange(STREAM),
    )


def test_groups_what_is_in_hand_and_ids_stay_as_they_were(log_client: redis.Redis) -> None:
    about = rig.terms("hook", "archive")
    for name in "abcdefgh":
        rig.append(log_client, about, name, f"{name}2")
    log_client.xreadgroup("hook", keys.CONSUMER, {STREAM: ">"}, count=5)
    log_client.xreadgroup("archive", keys.CONSUMER, {STREAM: ">"}, count=7)
    entries: Any = log_client.xrange(STREAM)
    log_client.xack(STREAM, "hook", entries[0][0], entries[2][0])
    log_client.xack(STREAM, "archive", entries[0][0])
    log_client.xtrim(STREAM, maxlen=7, approximate=False)
    before = told(log_client)
    assert streams.rewrite(log_client, STREAM, without("nobody")) == []
    assert told(log_client) == before
    places = streams.rewrite(log_client, STREAM, without("c2", "h"))
    assert places == [(0, "web", f"{entries[2][0].decode()}/1"), (0, "web", f"{entries[7][0].decode()}/0")]
    after = told(log_client)
    assert after[:3] == before[:3]
    bodies = [fields[b"m"].split(b"\n") for _, fields in after[3]]
    assert bodies[1][1] == bodies[6][0] == b"{}"
    assert sum(body == b"{}" for each in bodies for body in each) == 2
    assert log_client.keys("*:copy:*") == []


def test_a_stream_is_written_anew_while_others_append_to_it(log_client: redis.Redis, log_process: Server) -> None:
    about, written, stop = rig.terms("hook"), 0, threading.Event()
    for number in range(300):
        rig.append(log_client, about, f"before{number}")

    def append() -> None:
        nonlocal written
        client = connect.client(log_process.url, timeout=5.0)
        while not stop.is_set():
            rig.append(client, about, f"meanwhile{written}")
            written += 1
        client.close()

    thread = threading.Thread(target=append)
    thread.start()
    try:
        for _ in range(3):
            streams.rewrite(log_client, STREAM, without("before7"))
    finally:
        stop.set()
        thread.join()
    assert written
    found: Any = log_client.xrange(STREAM)
    assert len(found) == 300 + written
    assert sum(fields[b"m"] == b"{}" for _, fields in found) == 1


def test_two_who_write_a_stream_anew_do_not_undo_each_other(log_client: redis.Redis, log_process: Server) -> None:
    about = rig.terms("hook")
    for number in range(600):
        rig.append(log_client, about, f"m{number}")

    def rewrite(name: str) -> None:
        client = connect.client(log_process.url, timeout=5.0)
        streams.rewrite(client, STREAM, without(name))
        client.close()

    threads = [threading.Thread(target=rewrite, args=[f"m{number}"]) for number in (1, 300, 599)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found: Any = log_client.xrange(STREAM)
    assert len(found) == 600
    assert [number for number, (_, fields) in enumerate(found) if fields[b"m"] == b"{}"] == [1, 300, 599]
