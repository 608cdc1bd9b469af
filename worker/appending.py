"""What an append sends to the log server, and how messages are packed into entries. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from worker import keys

PACK_MESSAGES = 100
PACK_BYTES = 131_072
"""A stream entry holds at most so much: fewer entries are faster, smaller ones repeat less after a crash."""

ARMED_MS = 5_000
"""How long a nudge counts as on its way."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What appending needs to know of the configuration."""

    routes: Mapping[str, tuple[str, ...]]
    """The destinations of each source."""
    partitions: int
    window_ms: int
    most_ids: int
    """How many message ids all partitions together may remember."""

    def ids_in_one_set(self) -> int:
        return max(1, self.most_ids // (2 * self.partitions))


def append_call(
    terms: Terms, partition: int, source: str, digests: Sequence[bytes], bodies: Sequence[bytes]
) -> tuple[list[str], list[str | bytes | int]]:
    """Keys and arguments of the append script for one partition and source."""
    destinations = terms.routes[source]
    names = [
        keys.log(partition, source),
        keys.seen_new(partition),
        keys.seen_old(partition),
        keys.seen_since(partition),
        keys.count(partition, source),
    ]
    for destination in destinations:
        names += [keys.ready(partition, destination), keys.armed(partition, destination)]
    arguments: list[str | bytes | int] = [
        source,
        terms.window_ms,
        terms.ids_in_one_set(),
        ARMED_MS,
        len(destinations),
        *destinations,
        b"".join(digests),
    ]
    for pack in packs(bodies):
        arguments += [len(pack), b"\n".join(pack)]
    return names, arguments


def attach_call(partition: int, source: str, destinations: Sequence[str]) -> tuple[list[str], list[str]]:
    """Keys and arguments of the script that gives a stream its groups."""
    names = [keys.log(partition, source), keys.count(partition, source)]
    names += [keys.detached(partition, destination) for destination in destinations]
    return names, [source, *destinations]


def packs(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Cut messages into what one stream entry holds."""
    if 0 < len(bodies) <= PACK_MESSAGES and sum(map(len, bodies)) <= PACK_BYTES:
        yield list(bodies)
        return
    pack: list[bytes] = []
    size = 0
    for body in bodies:
        if pack and (len(pack) == PACK_MESSAGES or size + len(body) > PACK_BYTES):
            yield pack
            pack, size = [], 0
        pack.append(body)
        size += len(body)
    if pack:
        yield pack
