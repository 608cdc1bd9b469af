"""Choose the few messages with which to find out whether a destination is back. Pure."""

from collections.abc import Sequence

from destinations.adapter import Order
from worker.parcel import Parcel, lane_of

MOST = 10


def chosen(pending: Sequence[Parcel], fresh: Sequence[Parcel], order: Order) -> set[str]:
    """Positions of some that failed before and some that were never tried, so that neither alone decides.

    Nothing overtakes what must come first: of each user the first messages, or of order "line" the first of all.
    """
    everything = [*pending, *fresh]
    if order == "line":
        return {parcel.position for parcel in everything[:MOST]}
    before = {lane_of(parcel, order) for parcel in pending}
    others = [one for one in _firsts(fresh, order) if lane_of(one, order) not in before]
    again = _firsts(pending, order)[: max(MOST // 2, MOST - len(others))]
    found = {parcel.position for parcel in [*again, *others][:MOST]}
    return _filled(found, everything, order)


def _firsts(parcels: Sequence[Parcel], order: Order) -> list[Parcel]:
    """The first message of each lane."""
    found: dict[str, Parcel] = {}
    for parcel in parcels:
        found.setdefault(lane_of(parcel, order), parcel)
    return list(found.values())


def _filled(found: set[str], parcels: Sequence[Parcel], order: Order) -> set[str]:
    """As many as may be tried: where few users are, also what comes next of them."""
    passed_over: set[str] = set()
    for parcel in parcels:
        lane, position = lane_of(parcel, order), parcel.position
        if position in found:
            continue
        if len(found) < MOST and lane not in passed_over:
            found = found | {position}
        else:
            passed_over.add(lane)
    return found
