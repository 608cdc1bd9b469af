"""Append messages to lines of their own, each message once, however often a crash makes somebody begin again."""

from collections.abc import Sequence
from typing import cast

import msgspec
import redis

from worker import keys, scripts
from worker.appending import ARMED_MS, packs
from worker.lines import Line
from worker.nudge import Pair
from worker.scripts import Call, run_all

RECEIVED = "received"
"""The account in which what is carried counts as received."""

BEYOND = "~"
"""A cursor beyond all others: cursors are made of digits."""


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
    """What a courier may just be carrying: as long as there is some, the line is still there."""


def carry_call(load: Load) -> Call:
    """May be repeated: the script knows what it has taken."""
    at = (load.partition, load.line.destination)
    names = [
        keys.log(load.partition, load.line.name),
        keys.lines(load.partition),
        keys.ready(*at),
        keys.later(*at),
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
    return Call(scripts.CARRY, names, arguments)


def drop_call(partition: int, line: Line) -> Call:
    names = [
        keys.log(partition, line.name),
        keys.lines(partition),
        keys.ready(partition, line.destination),
        keys.count(partition, line.counted_under),
        keys.cursor(partition, line.name),
        keys.left(partition, line.name, line.destination),
        keys.lease(partition, line.destination),
        keys.aside(partition, line.destination),
        keys.apart(partition, line.destination),
        keys.hand(partition, line.destination),
    ]
    prefix = keys.lane_of(partition, line.destination, "")
    return Call(scripts.DROP, names, [line.name, line.destination, BEYOND, prefix])


def carry(client: "redis.Redis", loads: Sequence[Load]) -> list[Pair]:
    """Append all loads in a few round trips; gives back whom to nudge, which can wait.

    Raises redis.RedisError: then call it again.
    """
    answers = cast(list[list[int]], run_all(client, [carry_call(load) for load in loads]))
    wanting = [load for load, (_, wants) in zip(loads, answers, strict=True) if wants]
    return [(load.partition, load.line.destination) for load in wanting]


def drop(client: "redis.Redis", partition: int, line: Line) -> Dropped:
    """Take a line away with all that waits in it, but for what is in a courier's hand. May be repeated."""
    [[messages, in_hand]] = cast(list[list[int]], run_all(client, [drop_call(partition, line)]))
    return Dropped(messages, in_hand)
