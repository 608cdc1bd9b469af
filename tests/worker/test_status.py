"""The accounts of the log."""

import redis

from destinations.outcome import Deferred, Rejected
from tests.worker.rig import LATER, Line, Scripted, always, append, body, by_name, config, terms
from worker import keys, status
from worker.log import Log
from worker.status import Row


def row(client: "redis.Redis", destination: str = "hook", *, among: tuple[str, ...] = ("hook",)) -> Row:
    rows = status.read(client, config(*among)).rows
    return next(row for row in rows if row.destination == destination)


def balances(found: Row) -> bool:
    return found.received == found.delivered + found.filtered + found.waiting + found.dead


def test_an_empty_log_has_empty_accounts(log_client: redis.Redis) -> None:
    found = row(log_client)
    assert (found.received, found.waiting, found.oldest_waiting_seconds, found.out) == (0, 0, None, None)


def test_every_message_is_in_one_column(line: Line) -> None:
    bodies = [body("a"), body("b", integrations={"hook": False}), body("c")]
    append(line.client, line.terms, "a", "b", "c", bodies=bodies)
    courier = line.courier(Scripted(by_name(c=Rejected("bad"))))
    courier.drain(0, "hook")
    line.post("d", "e")
    found = row(line.client)
    assert (found.received, found.delivered, found.filtered, found.dead, found.waiting) == (5, 1, 1, 1, 2)
    assert balances(found)


def test_the_oldest_waiting_message_may_be_unread_or_unfinished(line: Line) -> None:
    stream = keys.log(0, "web")
    seconds, _ = line.client.time()
    line.post("a")
    line.client.delete(stream)
    for age in (300, 200, 100):
        line.client.xadd(stream, {"n": 1, "m": body(f"m{age}")}, id=f"{(int(seconds) - age) * 1000}-0")
    line.client.xgroup_create(stream, "hook", "0")
    assert 300 <= (row(line.client).oldest_waiting_seconds or 0) < 320
    log, lease = line.log, line.lease()
    entries = log.fresh(lease, "web", 2).entries
    assert 300 <= (row(line.client).oldest_waiting_seconds or 0) < 320
    line.client.xack(stream, "hook", entries[0].id, entries[1].id)
    assert 100 <= (row(line.client).oldest_waiting_seconds or 0) < 120


def test_a_destination_that_is_out_is_shown_with_its_reason(line: Line) -> None:
    line.post("a")
    line.courier(Scripted(always(Deferred("HTTP 503", scope="destination"))), policy=LATER).drain(0, "hook")
    assert row(line.client).out == "HTTP 503"


def test_a_destination_that_came_later_answers_only_for_what_came_after_it(log_client: redis.Redis) -> None:
    append(log_client, terms("archive"), "a", "b")
    Log(log_client, lease_ms=1).attach(0, "web", ["archive", "hook"])
    append(log_client, terms("archive", "hook"), "c")
    both = ("archive", "hook")
    assert row(log_client, "archive", among=both).waiting == 3
    found = row(log_client, "hook", among=both)
    assert (found.received, found.waiting) == (1, 1)


def test_what_a_source_sent_is_added_up_over_partitions(log_client: redis.Redis) -> None:
    for partition, counts in enumerate(({"received": 2, "duplicates": 1}, {"received": 3, "refused": 4})):
        log_client.hset(keys.count(partition, "web"), mapping=counts)  # type: ignore[arg-type]  # redis-py: invariant
    (intake,) = status.read(log_client, config("hook", partitions=2)).intake
    assert (intake.received, intake.duplicates, intake.refused) == (5, 1, 4)


def test_the_dedupe_window_is_as_configured_until_the_ids_are_too_many(log_client: redis.Redis) -> None:
    few = terms("hook", most=4)
    append(log_client, few, "a", "b")
    dedupe = status.read(log_client, config("hook")).dedupe
    assert (dedupe.in_force_seconds, dedupe.configured_seconds, dedupe.ids) == (86_400.0, 86_400.0, 2)
    append(log_client, few, "c")
    log_client.hincrby(keys.seen_since(0), "old", -60_000)
    dedupe = status.read(log_client, config("hook")).dedupe
    assert 60 <= dedupe.in_force_seconds < 80, "what is really remembered"
    assert dedupe.ids == 3


def test_the_durability_that_is_named_is_held_against_the_server(log_client: redis.Redis) -> None:
    assert status.read(log_client, config("hook")).durability.troubles == ()


def test_what_is_unusual_at_a_destination_is_told(log_client: redis.Redis) -> None:
    assert status.read(log_client, config("hook")).conditions == ()
    log_client.set(keys.apart(0, "hook"), 3)
    log_client.hset(keys.detached(0, "hook"), "web", "1-0")
    log_client.hset(keys.out("hook"), mapping={"scope": "operator", "reason": "moving house"})
    (condition,) = status.read(log_client, config("hook")).conditions
    assert (condition.aside, condition.detached) == (3, ("web",))
    assert condition.outage == "hook is paused (moving house), until somebody resumes it"


def test_a_replay_has_a_row_of_its_own(log_client: redis.Redis) -> None:
    log_client.sadd(keys.lines(0), "web~r1~hook", "web~retry~hook")
    log_client.xgroup_create(keys.log(0, "web~r1~hook"), "hook", "0", mkstream=True)
    log_client.hset(keys.count(0, "web~r1~hook"), mapping={"received": 5, "delivered:hook": 3})
    rows = status.read(log_client, config("hook")).rows
    assert [(row.source, row.received, row.waiting) for row in rows] == [("web", 0, 0), ("web~r1~hook", 5, 2)]


def test_a_destination_that_is_detached_still_answers_for_what_was_received(line: Line) -> None:
    line.post("a", "b")
    line.courier(Scripted()).drain(0, "hook")
    line.post("c")
    line.client.xgroup_destroy(keys.log(0, "web"), "hook")
    assert (row(line.client).received, row(line.client).waiting) == (3, 1)


def test_without_a_worker_there_is_an_alarm(log_client: redis.Redis) -> None:
    found = status.read(log_client, config("hook"))
    assert [alarm.kind for alarm in found.alarms] == ["workers"]
    assert found.processes == {}
