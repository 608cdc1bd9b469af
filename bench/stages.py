"""Where the collector's time goes for a batch: microseconds a message, stage by stage, in one process.

    .venv/bin/python -m bench.stages

Best of several rounds, without HTTP, without a server; the reference is decoding and encoding the same batches.
"""

import gc
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from bench import messages
from collector import accept, decoding
from collector.decoding import Batch
from collector.exchange import command
from collector.log_port import Item
from collector.lot import Lot
from schemas.arrival import arrival
from schemas.limits import Limits
from schemas.normalise import normalise
from schemas.reading import read
from worker.appending import Terms, append_call

T = TypeVar("T")

BATCHES, BATCH, ROUNDS = 100, 100, 7
LIMITS = Limits()
TERMS = Terms(routes={"web": ("archive", "file")}, partitions=8, window_ms=86_400_000, most_ids=10_000_000)
FLUSH = 8
"""Batches that travel together."""


def main() -> None:
    bodies = [messages.batch(BATCH) for _ in range(BATCHES)]
    envelopes = [found for body in bodies if isinstance(found := decoding.batch(body), Batch)]
    raws = [bytes(raw) for envelope in envelopes for raw in envelope.batch]
    items = [item for envelope in envelopes for item in judged(envelope)]
    alone = cost(lambda: each(lambda body: msgspec.json.encode(msgspec.json.decode(body)), bodies))
    rows = [
        ("decode + encode, the reference", alone),
        ("the envelope: where each message is", cost(lambda: each(decoding.batch, bodies))),
        ("size, depth, decoding of each", cost(lambda: each(lambda raw: read(raw, LIMITS), raws))),
        ("validate and normalise", normalising(raws)),
        ("all of it, and encoding", cost(lambda: each(judged, envelopes))),
        ("partition, digest, pack, command", cost(lambda: each(flushed, parts(items)))),
    ]
    for name, taken in rows:
        print(f"{name:40}{taken:6.2f} us  {taken / alone:5.2f}")


def cost(work: Callable[[], object], prepare: Callable[[], None] = lambda: None) -> float:
    """Microseconds of this process's time for each message, the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        prepare()
        gc.collect()
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best / (BATCHES * BATCH) * 1e6


def each(work: Callable[[T], object], values: list[T]) -> None:
    """Do it for all and keep nothing, as a server does."""
    for value in values:
        work(value)


def judged(envelope: Batch) -> list[Item]:
    came = arrival(1_795_308_994_000, sent_at=envelope.sent_at)
    return accept.each(0, envelope.batch, accept.Terms("web", came, lambda: "", LIMITS)).items


def normalising(raws: list[bytes]) -> float:
    came = arrival(1_795_308_994_000, sent_at="2026-11-22T10:00:00.100Z")
    fresh: list[dict[str, object]] = []

    def prepare() -> None:
        fresh[:] = [msgspec.json.decode(raw) for raw in raws]

    return cost(lambda: each(lambda message: normalise(message, came, lambda: "", LIMITS), fresh), prepare)


def parts(items: list[Item]) -> list[list[Item]]:
    size = FLUSH * BATCH
    return [items[start : start + size] for start in range(0, len(items), size)]


def flushed(items: list[Item]) -> list[bytes]:
    """The commands of one flush."""
    lot = Lot(TERMS.partitions)
    lot.take(items, [])
    commands = []
    for strand in lot.strands.values():
        names, arguments = append_call(TERMS, strand.partition, strand.source, strand.digests, strand.bodies)
        commands.append(command("EVALSHA", "0" * 40, len(names), *names, *arguments))
    return commands


if __name__ == "__main__":
    main()
