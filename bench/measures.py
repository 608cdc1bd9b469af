"""What is measured: each figure beside its reference, taken in the same run."""

import statistics
import time
from typing import cast

import msgspec

from bench import messages
from bench.load import hammer, post
from bench.rig import Rig, bare, rig, wait_for
from tests.receiver import Receiver

FILE = '[destinations.file]\ntype = "file"\npath = "{directory}/out.jsonl"\n'
BATCH = 100
ROUNDS = 3
CONNECTIONS = 64
BATCH_CONNECTIONS = 64


class Row(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    figure: str
    reference: str
    ratio: float | None
    goal: str
    reached: bool


def single(count: int) -> list[Row]:
    """POST/s of one collector against the bare app, in turns; the medians."""
    ours: list[float] = []
    theirs: list[float] = []
    with rig() as here, bare() as bare_port:
        port = here.collector()
        for _ in range(ROUNDS):
            requests = [post("/v1/track", messages.single()) for _ in range(count)]
            theirs.append(hammer(bare_port, iter(requests), connections=CONNECTIONS).rate())
            load = hammer(port, iter(requests), connections=CONNECTIONS)
            assert load.refused == 0, "a request was refused"
            ours.append(load.rate())
    mine, bare_rate = statistics.median(ours), statistics.median(theirs)
    ratio = mine / bare_rate
    figure, reference = f"{mine:,.0f} POST/s", f"{bare_rate:,.0f} bare Starlette"
    return [Row("single messages", figure, reference, ratio, ">= 0.55", ratio >= 0.55)]


def batches(count: int) -> tuple[list[Row], float]:
    """Messages/s in batches against decoding and encoding them alone; and that rate, for the next table row."""
    ours: list[float] = []
    theirs: list[float] = []
    with rig() as here:
        port = here.collector()
        for _ in range(ROUNDS):
            bodies = [messages.batch(BATCH) for _ in range(count)]
            theirs.append(_decode_and_encode(bodies))
            load = hammer(port, iter([post("/v1/batch", body) for body in bodies]), connections=BATCH_CONNECTIONS)
            assert load.refused == 0, "a batch was refused"
            ours.append(load.rate() * BATCH)
        memory = _memory(here)
    mine, alone = statistics.median(ours), statistics.median(theirs)
    ratio = mine / alone
    rows = [
        Row("batches of 100", f"{mine:,.0f} msg/s", f"{alone:,.0f} decode + encode", ratio, ">= 0.15", ratio >= 0.15),
        Row("", f"{mine:,.0f} msg/s", "", None, "> 35,000", mine > 35_000),
        memory,
    ]
    return rows, mine


def _decode_and_encode(bodies: list[bytes]) -> float:
    begun = time.perf_counter()
    for body in bodies:
        msgspec.json.encode(msgspec.json.decode(body))
    return len(bodies) * BATCH / (time.perf_counter() - begun)


def _memory(here: Rig) -> Row:
    """Memory of a waiting message, its place in the dedupe window included, against its JSON."""
    used = int(here.client.info("memory")["used_memory_dataset"])
    size = number = 0
    for stream in here.client.scan_iter("*:log:*"):
        for _, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", here.client.xrange(stream)):
            size += len(fields[b"m"]) + 1 - int(fields[b"n"])
            number += int(fields[b"n"])
    ratio = used / size
    figure, reference = f"{used / number:,.0f} B a message", f"{size / number:,.0f} B of JSON"
    return Row("memory in Valkey, waiting", figure, reference, ratio, "<= 1.30", ratio <= 1.3)


def end_to_end(count: int, accepted_rate: float) -> list[Row]:
    """Batches in, at the `file` destination (and in the archive): one collector, one worker, at the same time."""
    with rig(FILE, ("archive", "file")) as here:
        port = here.collector()
        here.workers(1)
        warm = hammer(port, iter([post("/v1/batch", messages.batch(BATCH))]), connections=1)
        wait_for(lambda: here.waiting() == 0)
        requests = [post("/v1/batch", messages.batch(BATCH)) for _ in range(count)]
        begun = time.perf_counter()
        load = hammer(port, iter(requests), connections=BATCH_CONNECTIONS)
        assert load.refused + warm.refused == 0, "a batch was refused"
        wait_for(lambda: here.delivered("file") == (count + 1) * BATCH)
        rate = count * BATCH / (time.perf_counter() - begun)
    ratio = rate / accepted_rate
    reference = f"{accepted_rate:,.0f} accepted"
    return [Row("end to end, to a file", f"{rate:,.0f} msg/s", reference, ratio, ">= 0.40", ratio >= 0.40)]


def latency(count: int) -> list[Row]:
    """From POST to receipt at a webhook, one message at a time on an idle system."""
    hook = '[destinations.hook]\ntype = "webhook"\nurl = "{url}"\nallow_private = true\n'
    taken: list[float] = []
    with Receiver() as receiver, rig(hook.replace("{url}", receiver.url), ("archive", "hook")) as here:
        port = here.collector()
        here.workers(2)
        for number in range(count + 10):
            begun = time.perf_counter()
            hammer(port, iter([post("/v1/track", messages.single())]), connections=1)
            receiver.wait_for(number + 1)
            taken.append(1000 * (time.perf_counter() - begun))
            wait_for(lambda: here.waiting() == 0)
    taken = sorted(taken[10:])
    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99) - 1]
    return [
        Row("POST to webhook, p50", f"{p50:.1f} ms", "", None, "< 30 ms", p50 < 30),
        Row("POST to webhook, p99", f"{p99:.1f} ms", "", None, "< 150 ms", p99 < 150),
    ]


def backlog(small: int, large: int) -> list[Row]:
    """How fast one worker empties a large backlog, against a small one."""
    few = statistics.median(_drained(small) for _ in range(ROUNDS))
    many = _drained(large)
    ratio = many / few
    figure, reference = f"{many:,.0f} msg/s", f"{few:,.0f} with {small:,}"
    return [Row(f"backlog of {large:,} drained", figure, reference, ratio, ">= 0.90", ratio >= 0.9)]


def _drained(count: int) -> float:
    """Messages/s from the first delivery to the last, so that starting a worker is not measured."""
    with rig(FILE, ("archive", "file")) as here:
        port = here.collector()
        requests = (post("/v1/batch", messages.batch(BATCH)) for _ in range(count // BATCH))
        hammer(port, requests, connections=BATCH_CONNECTIONS)

        def done() -> int:
            return here.delivered("archive") + here.delivered("file")

        here.workers(1)
        wait_for(lambda: done() > 0, pause=0.002)
        begun, before = time.perf_counter(), done()
        wait_for(lambda: done() == 2 * count)
        return (2 * count - before) / 2 / (time.perf_counter() - begun)
