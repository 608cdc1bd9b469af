"""Lay out the requests of a batch so that each user's go one after the other while users go side by side. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from destinations.http.request import Request


class Part(msgspec.Struct, frozen=True):
    """One request of a message; most messages have one."""

    message: int  # index within the batch
    user: str
    request: Request


class Packing(msgspec.Struct, frozen=True):
    """How much may travel in one request."""

    requests: int = 1
    body_bytes: int = 500_000


Lane = list[Part]


def lanes(parts: Iterable[Part], packing: Packing, width: int) -> list[Lane]:
    """Sequences that may run side by side; all parts of a user are in one, in their order.

    Where requests travel together there are only as many lanes as can be filled, so that packs do not become small.
    """
    users: dict[str, Lane] = {}
    for part in parts:
        users.setdefault(part.user, []).append(part)
    chains = list(users.values())
    if packing.requests == 1:
        return chains
    total = sum(map(len, chains))
    return _dealt(chains, min(width, -(-total // packing.requests)))


def _dealt(chains: Sequence[Lane], count: int) -> list[Lane]:
    """The chains over `count` lanes of about equal length."""
    dealt: list[Lane] = [[] for _ in range(count)]
    for chain in sorted(chains, key=len, reverse=True):
        min(dealt, key=len).extend(chain)
    return [lane for lane in dealt if lane]


def packs(lane: Lane, packing: Packing) -> Iterator[Lane]:
    """The lane cut into what travels together: the same batch name, in order, within the limits."""
    pack: Lane = []
    size = 0
    for part in lane:
        length = len(part.request.body) + 1
        full = len(pack) == packing.requests or size + length > packing.body_bytes
        if pack and (full or not part.request.batch or part.request.batch != pack[-1].request.batch):
            yield pack
            pack, size = [], 0
        pack.append(part)
        size += length
    if pack:
        yield pack
