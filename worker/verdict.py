"""Decide, from a batch's outcomes, whether it is some messages that fail, or the destination. Pure."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from destinations.adapter import Order
from destinations.outcome import Deferred, Delivered, Outcome, Rejected, Scope
from worker.retry import RetryPolicy

PATIENCE = 5
"""When so many messages have failed in a row, it is not the messages."""


class Behind(msgspec.Struct, frozen=True):
    """Not tried, because an earlier message of its user waits in a retry lane."""


Result = Outcome | Behind


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions about a batch may not find out for themselves."""

    destination: str
    now_ms: int
    chance: float
    order: Order = "user"
    attempts: int = 0
    """How often in a row the destination was out already."""
    row: int = 0
    """How many messages failed in a row before this batch."""
    room: int = 10_000
    """How many more messages may step aside."""
    probing: bool = False
    spanning: bool = False
    """The batch is all there is between its first message and its last."""
    owner: str = ""
    took_ms: int = 0


class GoOn(msgspec.Struct, frozen=True):
    """The destination takes messages. Those that failed step aside."""

    row: int = 0
    worked: bool = False
    """Something got through, or was refused for good: the destination is there."""
    aside: frozenset[Scope] = frozenset({"message", "destination", "settings", "adapter"})


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """The destination takes nothing at present: what failed stays where it is."""

    attempts: int
    pause_ms: int
    reason: str
    scope: Literal["destination", "settings"] = "destination"
    row: int = 0
    worked: bool = False
    aside: frozenset[Scope] = frozenset({"adapter"})
    """An adapter's mistake is about its message even now."""


Verdict = GoOn | Out


def judge_line(results: Sequence[Result], policy: RetryPolicy, moment: Moment) -> Verdict:
    """A batch of messages from the log."""
    verdict = _judge(results, policy, moment)
    alone = [failure for failure in _failures(results) if failure.scope in ("message", "settings")]
    if isinstance(verdict, Out) or verdict.worked or not alone:
        return verdict
    row = moment.row + len(alone)
    if row < PATIENCE and not moment.probing:
        return msgspec.structs.replace(verdict, row=row)
    return _out(alone, policy, moment, row=row, worked=False)


def judge_lanes(results: Sequence[Result], policy: RetryPolicy, moment: Moment) -> Verdict:
    """A batch from the retry lanes: that messages fail there which failed before says nothing about the others."""
    return _judge(results, policy, moment)


def full(policy: RetryPolicy, moment: Moment, verdict: Verdict) -> Verdict:
    """The verdict when the retry lanes have no room for those that would have to step aside."""
    nobody: frozenset[Scope] = frozenset()
    if isinstance(verdict, Out):
        return msgspec.structs.replace(verdict, aside=nobody)
    attempts = 1 if verdict.worked else moment.attempts + 1
    pause = policy.wait(attempts, moment.chance, None)
    reason = "too many messages failed one by one: there is no room for more in the retry lane"
    return Out(attempts=attempts, pause_ms=math.ceil(pause * 1000), reason=reason, worked=verdict.worked, aside=nobody)


def _judge(results: Sequence[Result], policy: RetryPolicy, moment: Moment) -> Verdict:
    failures = _failures(results)
    worked = any(isinstance(result, Delivered | Rejected) for result in results)
    if moment.order == "line" and failures:
        return msgspec.structs.replace(_out(failures, policy, moment, row=0, worked=worked), aside=frozenset())
    whole = [failure for failure in failures if failure.scope == "destination"]
    if whole and not (worked and moment.probing):
        return _out(whole, policy, moment, row=moment.row, worked=worked)
    barred = [failure for failure in failures if failure.scope == "settings"]
    if barred and not worked:
        return msgspec.structs.replace(_out(barred, policy, moment, row=moment.row, worked=False), scope="settings")
    return GoOn(row=0 if worked else moment.row, worked=worked)


def _failures(results: Sequence[Result]) -> list[Deferred]:
    return [result for result in results if isinstance(result, Deferred) and result.tried]


def _out(failures: Sequence[Deferred], policy: RetryPolicy, moment: Moment, *, row: int, worked: bool) -> Out:
    attempts = 1 if worked else moment.attempts + 1
    asked = [failure.after for failure in failures if failure.after is not None]
    pause = policy.wait(attempts, moment.chance, max(asked, default=None))
    return Out(attempts=attempts, pause_ms=math.ceil(pause * 1000), reason=failures[0].reason, row=row, worked=worked)
