"""What the clerk does about letters and refusals: nothing is left in the log, and nothing dead is forgotten."""

import time

import pytest
import redis
from sqlalchemy import Engine, update

from tests.worker import rig
from tests.worker.letters.letters import bury, everything, letter, moved
from tests.worker.refusals.refusals import refusal, refuse
from worker import keys
from worker.database.tables import DEAD_LETTERS
from worker.duties import duties_of
from worker.keeping import forget_old
from worker.letters import desk
from worker.letters.desk import Wanted
from worker.refusals import desk as refusals


def test_the_duties_move_what_lies_in_the_log(log_client: redis.Redis, database: Engine) -> None:
    config = rig.config("hook", partitions=4)
    bury(log_client, letter("m1"), partition=2)
    bury(log_client, letter("m2", destination="gone"))
    refuse(log_client, refusal({"event": "A"}), partition=3)
    refuse(log_client, refusal({"event": "A"}, source="gone"))
    for duty in duties_of(config, log_client, database):
        duty.run()
    assert desk.count(database, Wanted()) == 2
    assert refusals.count(database, refusals.Wanted()) == 2
    assert log_client.xlen(keys.dead(2, "hook")) == log_client.xlen(keys.refused(3, "web")) == 0


def test_what_was_dealt_with_long_ago_is_forgotten_and_what_is_dead_is_not(
    log_client: redis.Redis, database: Engine
) -> None:
    moved(log_client, database, *(letter(f"m{n}", number=n) for n in range(4)))
    long_ago = int(time.time() * 1000) - desk.KEPT_MS - 60_000
    with database.begin() as connection:
        connection.execute(update(DEAD_LETTERS).values(state_at=long_ago))
        for number, state in ((1, "retried"), (2, "discarded"), (3, "retrying")):
            connection.execute(update(DEAD_LETTERS).where(DEAD_LETTERS.c.id == number).values(state=state))
    forget_old(log_client, database, partitions=4)
    assert [(one.id, one.state) for one in everything(database)] == [(3, "retrying"), (4, "dead")]


@pytest.mark.parametrize("state", ["retried", "discarded"])
def test_what_was_dealt_with_lately_can_still_be_looked_at(
    log_client: redis.Redis, database: Engine, state: str
) -> None:
    moved(log_client, database, letter("m1"))
    with database.begin() as connection:
        connection.execute(update(DEAD_LETTERS).values(state=state, state_at=int(time.time() * 1000)))
    forget_old(log_client, database, partitions=4)
    assert len(everything(database)) == 1
