"""The breaker that all workers share, on a real server."""

import msgspec
import pytest
import redis

from tests.worker.rig import server_ms
from worker import breaker, keys
from worker.breaker import Breaker, Closed, Limits, Probing, Record, Waiting, fingerprints, is_due
from worker.config import Config, DestinationTable

LEASE_MS = 10_000
NAME = "hook"


def one(client: "redis.Redis", settings: str = "s1", *, pause_after: int = 10) -> Breaker:
    """The breaker of one process."""
    return Breaker(client, lease_ms=LEASE_MS, settings={NAME: settings}, pause_after={NAME: pause_after})


def out(breaker: Breaker, *, attempts: int = 0, pause_ms: int = 60_000, scope: str = "destination") -> None:
    breaker.failed(NAME, attempts=attempts, pause_ms=pause_ms, reason="answered 503", scope=scope)


def over(client: "redis.Redis") -> None:
    """The pause is over."""
    client.hset(keys.out(NAME), "until", server_ms() - 1)


def test_a_destination_of_which_nothing_is_known_may_receive(log_client: redis.Redis) -> None:
    assert one(log_client).look(NAME) == Closed()
    assert one(log_client).all([NAME]) == {}


def test_a_destination_that_is_out_is_out_for_every_process(log_client: redis.Redis) -> None:
    out(one(log_client))
    seen = one(log_client).look(NAME)
    assert isinstance(seen, Waiting)
    assert 50_000 < seen.until_ms - server_ms() <= 60_000
    assert seen.reason == "answered 503"


def test_one_process_alone_probes_when_the_pause_is_over(log_client: redis.Redis) -> None:
    first, second = one(log_client), one(log_client)
    out(first)
    over(log_client)
    assert first.look(NAME) == Probing(1)
    assert isinstance(second.look(NAME), Waiting)
    assert isinstance(first.look(NAME), Waiting)


def test_a_prober_that_dies_is_followed_by_another(log_client: redis.Redis) -> None:
    out(one(log_client))
    over(log_client)
    assert one(log_client).look(NAME) == Probing(1)
    log_client.hset(keys.out(NAME), "probing", server_ms() - 1)
    assert one(log_client).look(NAME) == Probing(1)


def test_a_prober_that_found_nothing_to_try_leaves_it_to_the_next(log_client: redis.Redis) -> None:
    first, second = one(log_client), one(log_client)
    out(first)
    over(log_client)
    first.look(NAME)
    second.give_back(NAME)
    assert isinstance(second.look(NAME), Waiting), "only who probes gives back"
    first.give_back(NAME)
    assert second.look(NAME) == Probing(1)


def test_a_success_closes_it_for_all(log_client: redis.Redis) -> None:
    first, second = one(log_client), one(log_client)
    out(first)
    over(log_client)
    first.look(NAME)
    first.succeeded(NAME)
    assert second.look(NAME) == Closed()


def test_failures_at_the_same_time_count_once_and_the_longest_pause_holds(log_client: redis.Redis) -> None:
    out(one(log_client), pause_ms=1_000)
    out(one(log_client), pause_ms=60_000)
    out(one(log_client), pause_ms=2_000)
    state = one(log_client).all([NAME])[NAME]
    assert state.attempts == 1
    assert state.until_ms - server_ms() > 50_000


def test_each_probe_that_fails_counts(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    out(breaker)
    for attempts in (1, 2, 3):
        over(log_client)
        assert breaker.look(NAME) == Probing(attempts)
        out(breaker, attempts=attempts)
    assert breaker.all([NAME])[NAME].attempts == 4


def test_since_when_it_is_out_is_kept_over_all_attempts(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    out(breaker)
    log_client.hset(keys.out(NAME), "since", 1)
    over(log_client)
    breaker.look(NAME)
    out(breaker, attempts=1)
    assert breaker.all([NAME])[NAME].since_ms == 1


def test_refused_credentials_pause_it_until_other_settings_come(log_client: redis.Redis) -> None:
    old, new = one(log_client, "old"), one(log_client, "new")
    out(old, scope="settings")
    assert old.look(NAME) == Waiting(0, "answered 503")
    assert new.all([NAME])[NAME].due
    assert new.look(NAME) == Probing(1)


def test_two_processes_with_different_wrong_settings_do_not_take_turns_for_ever(log_client: redis.Redis) -> None:
    old, new = one(log_client, "old"), one(log_client, "new")
    out(old, scope="settings")
    new.look(NAME)
    out(new, attempts=1, scope="settings")
    assert isinstance(old.look(NAME), Waiting)
    assert isinstance(new.look(NAME), Waiting)


def test_new_settings_that_fail_otherwise_are_tried_again_after_a_pause(log_client: redis.Redis) -> None:
    old, new = one(log_client, "old"), one(log_client, "new")
    out(old, scope="settings")
    new.look(NAME)
    out(new, attempts=1)
    state = new.all([NAME])[NAME]
    assert (state.scope, state.due) == ("destination", False)
    assert state.until_ms > server_ms()


def test_refused_credentials_weigh_more_than_an_outage_seen_at_the_same_time(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    out(breaker, scope="settings")
    out(breaker)
    assert breaker.all([NAME])[NAME].scope == "settings"
    log_client.delete(keys.out(NAME))
    out(breaker)
    out(breaker, scope="settings")
    assert breaker.all([NAME])[NAME].scope == "settings"


def test_what_a_person_paused_only_a_person_resumes(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    breaker.pause(NAME, "moving house")
    out(breaker)
    breaker.succeeded(NAME)
    assert one(log_client, "other settings").look(NAME) == Waiting(0, "moving house")
    assert breaker.resume(NAME)
    assert breaker.look(NAME) == Closed()
    assert not breaker.resume(NAME)


def test_a_person_who_pauses_during_a_probe_has_the_last_word(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    out(breaker)
    over(log_client)
    breaker.look(NAME)
    one(log_client).pause(NAME, "stop")
    out(breaker, attempts=1)
    assert breaker.look(NAME) == Waiting(0, "stop")


def test_too_many_deaths_pause_it(log_client: redis.Redis) -> None:
    first, second = one(log_client, pause_after=10), one(log_client, pause_after=10)
    assert not first.deaths(NAME, 6, 3)
    assert second.deaths(NAME, 6, 0)
    assert second.look(NAME) == Waiting(0, "12 of 15 messages died within ten minutes")
    assert one(log_client, "other settings").look(NAME) == Probing(0)


def test_deaths_that_are_not_most_of_what_comes_pause_nothing(log_client: redis.Redis) -> None:
    breaker = one(log_client, pause_after=10)
    assert not breaker.deaths(NAME, 0, 100)
    assert not breaker.deaths(NAME, 60, 0)
    assert breaker.look(NAME) == Closed()


def test_deaths_of_long_ago_are_forgotten(log_client: redis.Redis) -> None:
    breaker = one(log_client, pause_after=10)
    long_ago = server_ms() // 60_000 - 11
    log_client.hset(keys.toll(NAME), f"{long_ago}:dead", 1_000)
    assert not breaker.deaths(NAME, 9, 0)
    assert log_client.hlen(keys.toll(NAME)) == 1


def test_after_a_resume_deaths_are_counted_from_nothing(log_client: redis.Redis) -> None:
    breaker = one(log_client, pause_after=10)
    breaker.deaths(NAME, 9, 0)
    breaker.resume(NAME)
    assert not breaker.deaths(NAME, 9, 0)


def test_one_round_trip_is_enough_to_see_that_all_is_well(log_client: redis.Redis) -> None:
    breaker = one(log_client)
    breaker.look(NAME)
    before = log_client.info("stats")["total_reads_processed"]
    breaker.look(NAME)
    assert log_client.info("stats")["total_reads_processed"] - before == 2, "its own and this question"


RECORD = Record(
    until_ms=2_000, attempts=1, reason="", scope="destination", since_ms=0, told_ms=0, settings=(), probing_ms=0
)
LIMITS = Limits(lease_ms=10, longest_ms=1_000)


@pytest.mark.parametrize(
    ("changed", "now_ms", "due"),
    [
        ({}, 1_999, False),
        ({}, 2_000, True),
        ({}, 999, True),  # the clock went back: nobody waits for longer than any pause is
        ({"told_ms": 1_500}, 1_499, True),  # a little
        ({"told_ms": 1_500}, 1_500, False),
        ({"probing_ms": 2_005}, 2_000, False),
        ({"probing_ms": 2_011}, 2_000, True),
        ({"scope": "settings", "settings": ("s1",)}, 2_000, False),
        ({"scope": "settings", "settings": ("s2",)}, 1_000, True),
        ({"scope": "operator"}, 9_999, False),
    ],
)
def test_when_a_destination_is_due(changed: dict[str, object], now_ms: int, due: bool) -> None:
    assert is_due(msgspec.structs.replace(RECORD, **changed), now_ms, "s1", LIMITS) is due


def test_a_fingerprint_changes_with_the_settings_and_shows_none_of_them() -> None:
    def of(**settings: object) -> str:
        return fingerprints(Config(destinations={NAME: DestinationTable(type="webhook", settings=settings)}))[NAME]

    assert of(url="http://a", token="t1") == of(token="t1", url="http://a")
    assert of(token="t1") != of(token="t2")
    assert len(of(token="t1")) == 16


def test_the_breaker_follows_the_configuration(log_client: redis.Redis) -> None:
    table = DestinationTable(type="console", pause_after=5)
    assert breaker.breaker_of(log_client, Config(destinations={NAME: table})).deaths(NAME, 5, 0)
