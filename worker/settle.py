"""Decide, from a batch's outcomes, what happens to each message. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from destinations.outcome import Deferred, Delivered, Filtered, Rejected
from worker.letter import ADAPTER_ERROR, EXPIRED, DeadLetter, letter_of
from worker.lines import line_of
from worker.parcel import Parcel, lane_of
from worker.retry import RetryPolicy
from worker.telling import Told, delivered, passages
from worker.verdict import Behind, GoOn, Moment, Result, Verdict, full, judge_lanes, judge_line

__all__ = ["Aside", "DeadLetter", "Moment", "Rest", "Settlement", "settle", "settle_lanes"]

ENDED = ("delivered", "filtered", "dead")
"""What the accounts know as an end; everything else is waiting."""


class Aside(msgspec.Struct, frozen=True):
    """A message that goes to a retry lane. `wait_ms` is -1 for one that goes behind what is there."""

    lane: str
    wait_ms: int
    put: bytes


class Rest(msgspec.Struct, frozen=True):
    """What remains of the first `taken` messages of a retry lane."""

    lane: str
    taken: int
    wait_ms: int
    puts: tuple[bytes, ...]


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit writes down, and what it means for the destination."""

    finished: tuple[str, ...] = ()
    unfinished: tuple[tuple[str, tuple[int, ...]], ...] = ()
    counts: tuple[tuple[str, str, int], ...] = ()
    """Account (`Line.counted_under`), what for (delivered, filtered, dead), how many more."""
    asides: tuple[Aside, ...] = ()
    rests: tuple[Rest, ...] = ()
    letters: tuple[bytes, ...] = ()
    passages: tuple[bytes, ...] = ()
    verdict: Verdict = GoOn()
    suspected: bool = False
    """A message of the line may kill workers: it stays under suspicion until nothing is pending."""
    dead: int = 0
    """Of the letters, those that the destination refused or that its adapter failed at."""

    @property
    def ended(self) -> int:
        """How many messages of the batch came to an end."""
        return sum(number for _, _, number in self.counts)


def settle(
    entries: Sequence[str], results: Sequence[tuple[Parcel, Result]], policy: RetryPolicy, moment: Moment
) -> Settlement:
    """A batch of a line. `entries` are its ids, `results` its messages, both in log order.

    An entry is acknowledged once each of its messages has ended or stepped aside.
    """
    if moment.spanning and results and all(result.__class__ is Delivered for _, result in results):
        return _whole(entries, results, moment)
    verdict = judge_line([result for _, result in results], policy, moment)
    told = list(_told(results, verdict, policy, moment))
    if sum(one.fate in ("aside", "behind") for one in told) > moment.room:
        verdict = full(policy, moment, verdict)
        told = list(_told(results, verdict, policy, moment))
    left: dict[str, list[int]] = {}
    for one in told:
        if one.fate in ("failed", "untried"):
            left.setdefault(one.parcel.entry, []).append(one.parcel.number)
    return msgspec.structs.replace(
        _written(told, verdict, moment),
        finished=tuple(entry for entry in entries if entry not in left),
        unfinished=tuple((entry, tuple(numbers)) for entry, numbers in left.items()),
        asides=tuple(_aside(one, moment) for one in told if one.fate in ("aside", "behind")),
    )


def _whole(entries: Sequence[str], results: Sequence[tuple[Parcel, Result]], moment: Moment) -> Settlement:
    """A batch of new messages that were all delivered: nearly every batch, so nothing is done for each message."""
    first, last = results[0][0], results[-1][0]
    return Settlement(
        finished=tuple(entries),
        counts=((line_of(first.line).counted_under, "delivered", len(results)),),
        passages=(delivered(first, last, moment),),
        verdict=GoOn(worked=True),
    )


def settle_lanes(results: Sequence[tuple[Parcel, Result]], policy: RetryPolicy, moment: Moment) -> Settlement:
    """The first messages of some retry lanes, those of each in its order."""
    verdict = judge_lanes([result for _, result in results], policy, moment)
    told = list(_told(results, verdict, policy, moment))
    lanes: dict[str, list[Told]] = {}
    for one in told:
        lanes.setdefault(one.parcel.lane, []).append(one)
    rests = tuple(_rest(lane, of_lane) for lane, of_lane in lanes.items())
    return msgspec.structs.replace(_written(told, verdict, moment), rests=rests)


def _told(
    results: Iterable[tuple[Parcel, Result]], verdict: Verdict, policy: RetryPolicy, moment: Moment
) -> Iterator[Told]:
    """The fate of each message."""
    gone: set[str] = set()
    stays: set[str] = set()
    for parcel, result in results:
        match result:
            case Delivered():
                yield Told(parcel, "delivered")
            case Filtered(reason=reason):
                yield Told(parcel, "filtered", reason)
            case Rejected(reason=reason, code=code, exchange=exchange):
                tried = msgspec.structs.replace(parcel, attempts=parcel.attempts + 1)
                yield Told(tried, "dead", reason, code, exchange=exchange)
            case Deferred(after=0.0):
                yield _in_order(Told(parcel, "untried"), gone, stays, moment)
            case Behind():
                yield _in_order(Told(parcel, "behind" if verdict.aside else "untried"), gone, stays, moment)
            case Deferred():
                yield _in_order(_failed(parcel, result, verdict, policy, moment), gone, stays, moment)


def _in_order(one: Told, gone: set[str], stays: set[str], moment: Moment) -> Told:
    """Whoever steps aside takes along what comes later in its lane; nobody steps aside past one that stays."""
    lane = lane_of(one.parcel, moment.order)
    if one.fate == "untried" and lane in gone:
        return msgspec.structs.replace(one, fate="behind")
    if one.fate in ("aside", "behind") and lane in stays:
        return msgspec.structs.replace(one, fate="failed" if one.fate == "aside" else "untried")
    if one.fate in ("aside", "behind"):
        gone.add(lane)
    elif one.fate != "dead":
        stays.add(lane)
    return one


def _failed(parcel: Parcel, failure: Deferred, verdict: Verdict, policy: RetryPolicy, moment: Moment) -> Told:
    tried = parcel.failed(failure, moment.now_ms)
    bugs = tried.attempts if moment.order == "line" else tried.bugs
    if failure.scope == "adapter" and bugs >= policy.attempts:
        return Told(tried, "dead", failure.reason, ADAPTER_ERROR, exchange=failure.exchange)
    if moment.now_ms - parcel.received_ms > policy.horizon * 1000:
        return Told(tried, "dead", failure.reason, EXPIRED, exchange=failure.exchange)
    if failure.scope not in verdict.aside:
        return Told(tried, "failed", failure.reason, exchange=failure.exchange)
    wait_ms = math.ceil(policy.wait(tried.attempts, moment.chance, failure.after) * 1000)
    return Told(tried, "aside", failure.reason, wait_ms=wait_ms, exchange=failure.exchange)


def _aside(one: Told, moment: Moment) -> Aside:
    wait_ms = one.wait_ms if one.fate == "aside" else -1
    return Aside(lane_of(one.parcel, moment.order), wait_ms, one.parcel.put())


def _rest(lane: str, told: Sequence[Told]) -> Rest:
    left = [one for one in told if one.fate not in ENDED]
    wait_ms = left[0].wait_ms if left else 0
    return Rest(lane, len(told), wait_ms, tuple(one.parcel.put() for one in left))


def _written(told: Sequence[Told], verdict: Verdict, moment: Moment) -> Settlement:
    """What a settlement says whichever way its messages came."""
    dead = [one for one in told if one.fate == "dead"]
    counts = Counter((line_of(one.parcel.line).counted_under, one.fate) for one in told if one.fate in ENDED)
    return Settlement(
        counts=tuple((account, fate, number) for (account, fate), number in counts.items()),
        letters=tuple(_letter(one, moment) for one in dead),
        passages=passages(told, moment),
        verdict=verdict,
        dead=sum(one.code != EXPIRED for one in dead),
    )


def _letter(one: Told, moment: Moment) -> bytes:
    return letter_of(
        one.parcel, one.reason, one.code, one.exchange, destination=moment.destination, now_ms=moment.now_ms
    )
