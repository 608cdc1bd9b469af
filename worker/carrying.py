"""Append messages to lines of their own, each message once, however often a crash makes somebody begin again."""

from collections.abc import Sequence
from typing import cast

import msgspec
import redis
from redis.exceptions import NoScriptError

from worker import keys, scripts
from worker.appending import ARMED_MS, packs
from worker.lines import Line
from worker.nudge import Pair
from worker.scripts import Script

RECEIVED = "received"
"""The account in which what is carried counts as received."""

BEYOND = "~"
"""A cursor beyond all others: cursors are made of digits."""

Call = tuple[list[str], list[str | bytes | int]]
"""Keys and arguments of a script."""


class Load(msgspec.Struct, frozen=True):
    """Messages for one line in one partition. Their cursors have one width, and rise from message to message."""

    partition: int
    line: Line
    bodies: list[bytes]
    cursors: list[str]
    counted: str = RECEIVED
    """The field of the line's account that grows; "" for messages that were counted as received before."""
    origin: str = ""
    """The line that the messages come from, if what becomes of them is to be told there; else empty."""
    origins: list[str] = []
    """Their positions in that line, one each."""


class Dropped(msgspec.Struct, frozen=True):
    """What became of a line that was taken away."""

    messages: int
    in_hand: int
    """Entries that a courier was just carrying: as long as there are some, the line is still there."""


def carry_call(load: Load) -> Call:
    at = (load.partition, load.line.destination)
    names = [
        keys.log(load.partition, load.line.name),
        keys.lines(load.partition),
        keys.ready(*at),
        keys.armed(*at),
        keys.count(load.partition, load.line.counted_under),
        keys.cursor(load.partition, load.line.name),
    ]
    arguments: list[str | bytes | int] = [
        load.line.name,
        load.line.destination,
        ARMED_MS,
        load.counted,
        len(load.cursors[0]),
        "".join(load.cursors),
        load.origin,
    ]
    number = 0
    for pack in packs(load.bodies):
        arguments += [len(pack), b"\n".join(pack), " ".join(load.origins[number : number + len(pack)])]
        number += len(pack)
    return names, arguments


def drop_call(partition: int, line: Line) -> Call:
    names = [
        keys.log(partition, line.name),
        keys.lines(partition),
        keys.ready(partition, line.destination),
        keys.count(partition, line.counted_under),
        keys.cursor(partition, line.name),
        keys.left(partition, line.name, line.destination),
        keys.lease(partition, line.destination),
    ]
    return names, [line.name, line.destination, BEYOND]


def carry(client: "redis.Redis", loads: Sequence[Load]) -> list[Pair]:
    """Append all loads in one round trip; gives back whom to nudge. Raises redis.RedisError: then call it again."""
    answers = _run(client, scripts.CARRY, [carry_call(load) for load in loads])
    wanting = [load for load, (_, wants) in zip(loads, answers, strict=True) if wants]
    return [(load.partition, load.line.destination) for load in wanting]


def drop(client: "redis.Redis", partition: int, line: Line) -> Dropped:
    [[messages, in_hand]] = _run(client, scripts.DROP, [drop_call(partition, line)])
    return Dropped(messages, in_hand)


def _run(client: "redis.Redis", script: Script, calls: Sequence[Call]) -> list[list[int]]:
    try:
        return _asked(client, script, calls)
    except NoScriptError:
        client.script_load(script.text)
        return _asked(client, script, calls)


def _asked(client: "redis.Redis", script: Script, calls: Sequence[Call]) -> list[list[int]]:
    with client.pipeline(transaction=False) as pipeline:
        for names, arguments in calls:
            pipeline.evalsha(script.sha, len(names), *names, *cast("Sequence[str]", arguments))
        return cast(list[list[int]], pipeline.execute())
