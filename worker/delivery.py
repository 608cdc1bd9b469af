"""Hand a batch to an adapter and get one outcome a message, whatever the adapter does."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from destinations.adapter import Destination, Order
from destinations.blame import steps_of
from destinations.outcome import Deferred, Delivered, Outcome, Rejected
from worker.parcel import LONGEST_REASON, Parcel, lane_of
from worker.routing import filtered
from worker.verdict import Behind, Result

NOT_TRIED = Deferred("an earlier message could not be delivered", after=0.0)
ASKED_OFTEN = Deferred("not tried: the adapter failed at others", after=0.0)
MOST_CALLS = 20
"""So often an adapter that fails at a batch is asked about parts of it."""

logger = logging.getLogger(__name__)


def deliver(
    destination: Destination[Any], parcels: Sequence[Parcel], occupied: set[str], deadline: float
) -> list[tuple[Parcel, Result]]:
    """The results in the order of the parcels. `occupied` are the retry lanes that hold earlier messages."""
    results = {number: result for number, result in enumerate(_unasked(destination, parcels, occupied)) if result}
    wanted = [number for number in range(len(parcels)) if number not in results]
    held: set[str] = set()
    going = True
    for batch in slices(wanted, destination.batch_messages):
        asked = [parcels[number] for number in batch]
        going = going and time.monotonic() < deadline
        outcomes = _around(asked, held, destination.order, partial(ask, destination, deadline)) if going else []
        results.update(zip(batch, outcomes or [NOT_TRIED] * len(batch), strict=True))
        going = going and goes_on(outcomes, destination.order)
        held |= _held(asked, outcomes, destination.order)
    return [(parcel, results[number]) for number, parcel in enumerate(parcels)]


def goes_on(outcomes: Sequence[Outcome], order: Order) -> bool:
    """Whether the destination would take others, though it may not have taken all of these."""
    deferred = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
    if not deferred:
        return True
    if order == "line" or any(one.scope in ("destination", "settings") for one in deferred):
        return False
    return any(isinstance(outcome, Delivered | Rejected) for outcome in outcomes)


def _held(parcels: Sequence[Parcel], outcomes: Sequence[Outcome], order: Order) -> set[str]:
    """The lanes of those that were not delivered: what comes after them waits for them."""
    pairs = zip(parcels, outcomes, strict=False)
    return {lane_of(parcel, order) for parcel, outcome in pairs if isinstance(outcome, Deferred)}


def _around(
    parcels: Sequence[Parcel], held: set[str], order: Order, answer: Callable[[Sequence[Parcel]], Sequence[Outcome]]
) -> Sequence[Outcome]:
    """Ask about all but those whose lane is held."""
    if not held:
        return answer(parcels)
    behind = [lane_of(parcel, order) in held for parcel in parcels]
    free = [parcel for parcel, late in zip(parcels, behind, strict=True) if not late]
    outcomes = iter(answer(free) if free else ())
    return [NOT_TRIED if late else next(outcomes) for late in behind]


def _unasked(destination: Destination[Any], parcels: Sequence[Parcel], occupied: set[str]) -> Iterator[Result | None]:
    """What is known of each message without asking the adapter."""
    for parcel in parcels:
        head = parcel.envelope.head
        reason = filtered(head, destination.name, storage=destination.storage, places=destination.places)
        if reason is None and occupied and lane_of(parcel, destination.order) in occupied:
            yield Behind()
        else:
            yield reason


def slices(numbers: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), most):
        yield numbers[start : start + most]


def ask(destination: Destination[Any], deadline: float, parcels: Sequence[Parcel]) -> Sequence[Outcome]:
    """One outcome a message. A batch at which the adapter fails is halved, until the message alone is found."""
    return _Questions(destination, deadline).ask(parcels)


class _Questions:
    """What an adapter is asked about one batch."""

    def __init__(self, destination: Destination[Any], deadline: float) -> None:
        self._destination = destination
        self._deadline = deadline
        self._calls = 0

    def ask(self, parcels: Sequence[Parcel]) -> Sequence[Outcome]:
        if self._calls == MOST_CALLS or (self._calls and time.monotonic() >= self._deadline):
            return [ASKED_OFTEN] * len(parcels)
        self._calls += 1
        outcomes = _outcomes(self._destination, parcels, self._deadline)
        if isinstance(outcomes, Deferred):
            return [outcomes] if len(parcels) == 1 else self._halves(parcels)
        return outcomes

    def _halves(self, parcels: Sequence[Parcel]) -> Sequence[Outcome]:
        middle, order = len(parcels) // 2, self._destination.order
        first = self.ask(parcels[:middle])
        held = _held(parcels, first, order)
        if held and order == "line":
            return [*first, *[NOT_TRIED] * (len(parcels) - middle)]
        return [*first, *_around(parcels[middle:], held, order, self.ask)]


def _outcomes(
    destination: Destination[Any], parcels: Sequence[Parcel], deadline: float
) -> Sequence[Outcome] | Deferred:
    """What the adapter says, or how it failed at the batch as a whole."""
    try:
        found: list[object] = list(destination.deliver([parcel.envelope for parcel in parcels], deadline))
    except Exception as error:  # noqa: BLE001  # the one broad except: an adapter is somebody else's code
        # Not its words: they may quote a secret of its settings, or a message.
        reason = f"the adapter raised {type(error).__name__} at {steps_of(error)}"
        logger.error("%s: %s", destination.name, reason)
        return Deferred(reason[:LONGEST_REASON], scope="adapter")
    if len(found) != len(parcels):
        # Says nothing about single messages: a part of them may well have been delivered.
        return Deferred(f"the adapter gave {len(found)} outcomes for {len(parcels)} messages", scope="adapter")
    known = [outcome for outcome in found if isinstance(outcome, Outcome)]
    if len(known) != len(found):
        return Deferred("the adapter gave something else than an outcome", scope="adapter")
    return known
