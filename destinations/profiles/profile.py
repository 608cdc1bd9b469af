"""What is known of a user or a group, put together from its nodes. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from typing import Any, NamedTuple

import msgspec

from destinations.profiles.claims import LARGEST
from destinations.profiles.document import Document, Trait, merged
from destinations.profiles.node import KINDS, Collection
from destinations.profiles.view import viewed

# Wide enough for the sum of any two doubles: sums are exact, and so do not depend on their order.
_EXACT = Context(prec=2_200, Emax=999_999, Emin=-999_999)


class ExternalId(msgspec.Struct, frozen=True):
    """An id under which the profile can be found."""

    type: str
    id: str
    stamp: str
    source: str


class Added(NamedTuple):
    """An increment: `trait` is a path of names joined by dots."""

    trait: str
    stamp: str
    by: str


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Of a user, or a group."""

    number: int
    """Its key in the database."""
    collection: Collection
    traits: Document
    ids: tuple[ExternalId, ...]
    """First its own id, then those of visitors, then what was promoted from traits."""
    first: tuple[str, str]
    """Stamp and source of what was said first."""
    last: tuple[str, str]

    @property
    def id(self) -> str:
        return self.ids[0].id

    @property
    def view(self) -> Document:
        """The traits in the types that their names promise, with those that follow from others."""
        return viewed(self.traits)

    def values(self) -> dict[str, Any]:
        """The traits as they were said, without their history."""
        return {name: trait.value for name, trait in self.traits.items()}


def in_order(ids: Iterable[ExternalId]) -> list[ExternalId]:
    """Each once, with the first time that it was said; ids of users and visitors before those promoted from traits."""
    found: dict[tuple[str, str], ExternalId] = {}
    for one in sorted(ids, key=lambda one: (one.type not in KINDS, one.stamp, one.type, one.id, one.source)):
        found.setdefault((one.type, one.id), one)
    return list(found.values())


def whole(documents: Iterable[Document]) -> Document:
    """The traits of a user of several nodes."""
    found: Document = {}
    for document in documents:
        found = merged(found, document)
    return found


def counted(document: Document, additions: Iterable[Added]) -> Document:
    """The traits with the numbers that were added to them since they were last set."""
    sums: dict[str, tuple[Decimal, Added]] = {}
    for one in additions:
        name = one.trait.partition(".")[0]
        if name in document and one.stamp <= document[name].stamp:
            continue
        total, latest = sums.get(one.trait, (Decimal(0), one))
        sums[one.trait] = (_EXACT.add(total, Decimal(one.by)), max(latest, one, key=lambda each: each.stamp))
    found = dict(document)
    for path, (total, latest) in sums.items():
        _add(found, path.split("."), total, latest.stamp)
    return found


def _add(document: Document, path: Sequence[str], total: Decimal, stamp: str) -> None:
    """What is there and is no number stays as it is."""
    name, *rest = path
    before = document.get(name)
    value = _sum(before.value if before else None, rest, total)
    document[name] = Trait(value, max(before.stamp, stamp) if before else stamp, before.source if before else "")


def _sum(value: Any, path: Sequence[str], total: Decimal) -> Any:
    if path:
        if value is not None and not isinstance(value, dict):
            return value
        inside = value or {}
        return {**inside, path[0]: _sum(inside.get(path[0]), path[1:], total)}
    if value is not None and not _counts(value):
        return value
    found = _EXACT.add(Decimal(repr(value or 0)), total)
    return int(found) if found == found.to_integral_value() else float(found)


def _counts(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
