"""Signs of life."""

import os

import msgspec
import redis

from tests.waiting import eventually
from tests.worker.rig import server_ms
from worker import beats, keys
from worker.beats import Beat
from worker.pulse import Pulse
from worker.slot import Slot


def old(seconds: float) -> bytes:
    beat = Beat(role="worker", host="h", pid=1, at_ms=server_ms() - int(seconds * 1000), version="0", config="c")
    return msgspec.json.encode(beat)


def test_a_process_says_what_it_is(log_client: redis.Redis) -> None:
    beats.give(log_client, "h.1", beats.sign("worker", "abc"))
    (beat,) = beats.read(log_client)
    assert (beat.name, beat.role, beat.pid, beat.config) == ("h.1", "worker", os.getpid(), "abc")
    assert beat.age < 5
    stored = msgspec.json.decode(log_client.hgetall(keys.BEATS)[b"h.1"])
    assert sorted(stored) == ["atMs", "config", "host", "pid", "role", "version"]


def test_who_gave_no_sign_for_long_is_silent_and_after_a_day_forgotten(log_client: redis.Redis) -> None:
    log_client.hset(keys.BEATS, mapping={"fresh": old(1), "quiet": old(60), "gone": old(100_000), "broken": "{"})
    found = beats.read(log_client)
    assert [beat.name for beat in found] == ["fresh", "quiet"]
    assert [beat.name for beat in beats.silent(found, 30)] == ["quiet"]
    assert log_client.hlen(keys.BEATS) == 2


def test_a_clean_end_takes_the_sign_away(log_client: redis.Redis) -> None:
    pulse = Pulse(log_client, "h.1", beats.sign("worker", "abc"), Slot(), busy=lambda: ("", 0.0), longest=10.0)
    eventually(lambda: [beat.name for beat in beats.read(log_client)] == ["h.1"])
    pulse.close()
    assert beats.read(log_client) == []


def test_a_process_that_is_stuck_in_one_thing_looks_unwell_and_says_in_what(log_client: redis.Redis) -> None:
    slot = Slot()
    pulse = Pulse(log_client, "h.1", beats.sign("worker", ""), slot, busy=lambda: ("hook", 31.0), longest=30.0)
    eventually(lambda: slot.words() == "hook")
    pulse.close()
    eventually(lambda: slot.age() > 0.001)
