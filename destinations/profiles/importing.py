"""Take the rows of a file into the database, many at once; what is wrong with the others is told."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from destinations.profiles.claims import Claims
from destinations.profiles.files import Line, Row
from destinations.profiles.node import Node
from destinations.profiles.rows import BadRow, Terms, UserRow, claims_of_group, claims_of_user
from destinations.profiles.store import apply
from destinations.sql.engine import Database

ROWS = 2_000
"""So many are taken in at once: workers that write meanwhile wait for a fraction of a second."""


class Wrong(msgspec.Struct, frozen=True):
    """A row that was not taken in."""

    line: int
    what: str


class Taken(msgspec.Struct, frozen=True):
    """What became of some rows."""

    rows: int
    wrong: Sequence[Wrong]


def take_in(database: Database, lines: Iterable[Line], terms: Terms) -> Iterator[Taken]:
    """Chunk by chunk, each of them whole. Raises DatabaseAway."""
    return _chunks(lines, terms, lambda claims: apply(database, claims))


def try_out(lines: Iterable[Line], terms: Terms) -> Iterator[Taken]:
    """The same without a database: nothing is changed."""
    return _chunks(lines, terms, lambda _: None)


def _chunks(lines: Iterable[Line], terms: Terms, put: Callable[[Sequence[Claims]], None]) -> Iterator[Taken]:
    rest = iter(lines)
    while some := list(islice(rest, ROWS)):
        claims, wrong = _claims(some, terms)
        if claims:
            put(list(_once(claims)))
        yield Taken(len(some) - len(wrong), wrong)


def _claims(lines: Sequence[Line], terms: Terms) -> tuple[list[Claims], list[Wrong]]:
    found: list[Claims] = []
    wrong: list[Wrong] = []
    for number, row, what in lines:
        if row is None:
            wrong.append(Wrong(number, what))
            continue
        try:
            found += claims_of(row, terms)
        except BadRow as error:
            wrong.append(Wrong(number, str(error)))
    return found, wrong


def _once(claims: Iterable[Claims]) -> Iterator[Claims]:
    """Many rows say of one group when it was heard of first: once is enough."""
    told: set[tuple[str, str, Node]] = set()
    for one in claims:
        if one.about and one.about.kind == "group_id" and not (one.traits or one.memberships or one.increments):
            key = (one.stamp, one.source, one.about)
            if key in told:
                continue
            told.add(key)
        yield one


def claims_of(row: Row, terms: Terms) -> list[Claims]:
    """Raises BadRow."""
    return claims_of_user(row, terms) if isinstance(row, UserRow) else claims_of_group(row, terms)
