"""What one process in the whole cluster has to do, beside deliveries: the duties of the clerk."""

from collections.abc import Callable
from typing import ParamSpec

import msgspec
import redis
from sqlalchemy import Engine

from worker.canary import send_canaries
from worker.catchup.rounds import bring_back, make_room
from worker.config import Config
from worker.forgetting.register import keep_published
from worker.forgetting.wishes import Attendant
from worker.keeping import forget_old, move_everything
from worker.letters.moving import move_known_letters
from worker.letters.resend import finish
from worker.refusals.moving import move_known_refusals
from worker.stories.keeping import forget
from worker.stories.moving import move_stories

P = ParamSpec("P")


class Duty(msgspec.Struct, frozen=True):
    """Something to do again and again. May be done twice, or cut off anywhere, without harm."""

    name: str
    every: float
    """Seconds from its end to its next beginning."""
    run: Callable[[], None]


def duties_of(config: Config, client: "redis.Redis", database: Engine) -> list[Duty]:
    """All duties of a cluster; `client` is the log's."""
    at, partitions = (client, database), config.log.partitions
    return [
        Duty("room in the log", 2.0, doing(make_room, client, config)),
        Duty("catching up", 0.5, doing(bring_back, client, config)),
        Duty("canary", config.alarms.canary, doing(send_canaries, client, config)),
        Duty("stories", 5.0, doing(move_stories, *at, config)),
        Duty("old stories", 600.0, doing(forget, database, config)),
        Duty("dead letters", 1.0, doing(move_known_letters, *at, config)),
        Duty("refusals", 1.0, doing(move_known_refusals, *at, config)),
        Duty("who is forgotten", 30.0, doing(keep_published, *at, partitions=partitions)),
        Duty("wishes to be forgotten", 1.0, Attendant(*at, config).attend),
        Duty("letters in hand", 15.0, doing(finish, *at, partitions=partitions)),
        Duty("what is no longer configured", 600.0, doing(move_everything, *at)),
        Duty("what was dealt with", 3_600.0, doing(forget_old, *at, partitions=partitions)),
    ]


def doing(work: Callable[P, object], *words: P.args, **options: P.kwargs) -> Callable[[], None]:
    """The work with what it is about, and without what it gives back."""

    def run() -> None:
        work(*words, **options)

    return run
