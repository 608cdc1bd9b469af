"""Wishes are kept until they are fulfilled, whoever is killed, on each kind of database."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, update

from destinations.sql.engine import writing
from tests import databases
from tests.postgres import Postgres
from tests.waiting import eventually
from tests.worker import rig
from tests.worker.forgetting.world import SECRETS, USER, World, config, found
from worker import keys
from worker.database.forgetting_tables import FORGETTINGS
from worker.embedded import Server
from worker.forgetting import hands, register, report, wishes
from worker.forgetting.conductor import carry_out
from worker.forgetting.memory import read
from worker.forgetting.report import SILENT_MS
from worker.log import Log


def test_the_oldest_is_taken_by_one_and_by_another_when_that_one_falls_silent(database: Engine) -> None:
    first, second = wishes.ask(database, "SUPPRESS_ONLY", "a"), wishes.ask(database, "UNSUPPRESS", "b")
    taken = [report.take(database), report.take(database)]
    assert {one.id for one in taken if one} == {first, second}
    assert report.take(database) is None
    with writing(database) as connection:
        long_ago = int(time.time() * 1000) - SILENT_MS - 1
        connection.execute(update(FORGETTINGS).where(FORGETTINGS.c.id == first).values(beat_ms=long_ago))
    again = report.take(database)
    assert again is not None
    assert again.id == first


def test_the_workers_fulfil_what_is_asked_for(log_client: redis.Redis, database: Engine, tmp_path: Path) -> None:
    settings = config(tmp_path)
    attendant = wishes.Attendant(log_client, database, settings)
    number = wishes.ask(database, "SUPPRESS_ONLY", USER)

    def finished() -> bool:
        attendant.attend()
        wish = report.get(database, number)
        return wish is not None and wish.state == "FINISHED"

    eventually(finished)
    memory = read(log_client)
    assert memory is not None
    assert memory.suppresses(USER)
    wish = report.get(database, number)
    assert wish is not None
    assert wish.asked == ""


def test_somebody_who_is_suppressed_stays_so_when_only_deleting_is_asked_for(database: Engine) -> None:
    key = register.key_of(database)
    register.note(database, key, "vera", ["v"], until="")
    register.note(database, key, "vera", ["v"], until="2024-02-29T12:00:00.000Z")
    assert len(register.suppressed(database, most=10)) == 1
    assert register.release(database, key, "vera", until="2024-02-29T12:00:00.000Z") == 2
    assert register.suppressed(database, most=10) == []


def test_it_waits_for_leases_that_are_in_force_and_for_no_later_ones(log_client: redis.Redis) -> None:
    log = Log(log_client, lease_ms=10_000)
    lease = log.acquire(0, "hook", "w1")
    assert not hands.wait(log_client, most=0.05)
    looks: list[int] = []

    def told(left: int) -> None:
        looks.append(left)
        if len(looks) == 1:
            log.release_anyway(lease)  # type: ignore[arg-type]  # nobody else held it
            log.acquire(0, "hook", "w2")

    assert hands.wait(log_client, most=5.0, told=told)
    assert looks == [1, 0]
    assert log_client.get(keys.lease(0, "hook")) is not None


def test_with_postgresql_a_search_finds_nothing_either(
    postgres: Postgres, log_process: Server, log_client: redis.Redis, tmp_path: Path
) -> None:
    with databases.in_schema(postgres) as given:
        settings = config(tmp_path, given.database.url)
        with databases.opened(settings) as engine:
            world = World(log_client, engine, settings, log_process.url)
            world.fill()
            assert named(world, SECRETS)
            left = carry_out(world.stores, "DELETE_INTERNAL", USER, grace=0.0).left
            assert left == ()
            assert named(world, SECRETS) == []
            world.close()


def named(world: World, secrets: Sequence[str]) -> list[tuple[str, str]]:
    return found(world, *secrets)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No collector is at work here that one would have to wait for."""
    monkeypatch.setattr("worker.forgetting.conductor.COLLECTORS_KNOW_AFTER", 0.0)


def test_a_message_that_was_taken_before_its_user_was_forgotten_is_not_delivered(
    log_client: redis.Redis, database: Engine
) -> None:
    line = rig.Line(log_client)
    hook = rig.Scripted()
    courier = line.courier(hook)
    line.post_together("a", "b")
    register.note(database, register.key_of(database), "u", [], until="")
    register.publish(log_client, database, partitions=1)
    courier.drain(0, "hook")
    assert hook.names() == []
    assert line.counts()["filtered:hook"] == 2
    line.close()
