"""Say what a message waits for."""

import datetime
from typing import cast

import redis

from worker import keys
from worker.stories.waiting import Waiting
from worker.story import position_of

MOST_COUNTED = 10_000

LASTING = {
    "settings": "until its settings change or somebody resumes it",
    "toll": "until somebody has looked at its dead letters and resumes it",
    "operator": "until somebody resumes it",
}
"""Scopes of an outage that time does not end, with what does."""


def waits_for(client: "redis.Redis", partition: int, line: str, destination: str, position: str, held: Waiting) -> str:
    """In a sentence without its full stop."""
    out = outage(client, destination)
    if position in held.aside:
        own = held.aside[position]
        due = f"due at {clock(own.due_ms)}"
        first = f"its own next attempt, {due}" if own.place == 0 else f"an earlier message of its user, {due}"
        return f"{first}; {out}" if out else first
    if held.in_hand(position):
        return f"its next attempt; {out}" if out else "nothing: it is being delivered, or will be at once"
    turn = _turn(client, partition, line, destination, position, held)
    return f"{turn}; {out}" if out else turn


def _turn(client: "redis.Redis", partition: int, line: str, destination: str, position: str, held: Waiting) -> str:
    if position in held.carried:
        return f"its turn in {held.carried[position]}"
    if held.detached(position):
        return f"its turn: {destination} is detached, and catches up from the archive"
    return _before(client, partition, line, position, held)


def outage(client: "redis.Redis", destination: str) -> str:
    """Why a destination gets nothing now, and what ends that; "" when it does."""
    found = cast(dict[bytes, bytes], client.hgetall(keys.out(destination)))
    if not found:
        return ""
    reason = found.get(b"reason", b"").decode()
    scope = found.get(b"scope", b"destination").decode()
    ends = LASTING.get(scope, f"next attempt at {clock(int(found.get(b'until', 0)))}")
    word = "is paused" if scope in LASTING else "is out"
    return f"{destination} {word} ({reason}), {ends}"


def clock(ms: int) -> str:
    """A moment, as messages write it."""
    moment = datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _before(client: "redis.Redis", partition: int, line: str, position: str, held: Waiting) -> str:
    """How much there is in front of it."""
    own = position_of(position).partition("/")[0]
    start = position_of(held.read_to).partition("/")[0]
    entries = cast(list[object], client.xrange(keys.log(partition, line), min=f"({start}", max=own, count=MOST_COUNTED))
    if len(entries) == MOST_COUNTED:
        return f"its turn: more than {MOST_COUNTED} entries of the log are before it"
    return "its turn: it is the next" if len(entries) <= 1 else f"its turn: {len(entries) - 1} entries are before it"
