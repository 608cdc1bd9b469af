"""What failures cost those who do not fail: other messages beside failing ones, other destinations beside dead ones."""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import messages
from bench.load import hammer, post
from bench.measures import BATCH, Row
from bench.rig import rig, wait_for
from tests.receiver import Act, Answer, Received, Receiver

HOOK = '[destinations.hook]\ntype = "webhook"\nurl = "{url}"\nallow_private = true\nretry.first = "200ms"\n'
HEALTHY = 80
DOWN = 20
WARM = 20
ROUNDS = 3


def retries(count: int) -> list[Row]:
    """Messages/s to a webhook that refuses every tenth message at first, against one that takes all."""
    healthy, failing = [], []
    for _ in range(ROUNDS):
        healthy.append(_to_a_webhook(count, fails_every=0))
        failing.append(_to_a_webhook(count, fails_every=10))
    mine, reference = statistics.median(failing), statistics.median(healthy)
    ratio = mine / reference
    return [
        Row("10 % fail at first", f"{mine:,.0f} msg/s", f"{reference:,.0f} healthy", ratio, ">= 0.70", ratio >= 0.7)
    ]


def _to_a_webhook(count: int, *, fails_every: int) -> float:
    """From the first receipt to the last delivery."""
    with Receiver() as receiver, rig(HOOK.format(url=receiver.url), ("archive", "hook")) as here:
        if fails_every:
            receiver.always(_Fickle(fails_every))
        _fill(here.collector(), count)
        here.workers(1)
        receiver.wait_for(1, timeout=60)
        begun = time.perf_counter()
        wait_for(lambda: here.delivered("hook") == count, pause=0.01)
        return count / (time.perf_counter() - begun)


class _Fickle:
    """500 to every tenth message the first time that it comes."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._met: set[str] = set()
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, received: Received) -> Act:
        name = received.headers["x-message-id"]
        with self._lock:
            if name in self._met:
                return Answer(200)
            self._met.add(name)
            self._count += 1
            return Answer(500 if self._count % self._every == 0 else 200)


def neighbours(count: int) -> list[Row]:
    """Deliveries/s to 80 destinations while 20 others are down, against the same while those are up."""
    up, down = [], []
    for _ in range(ROUNDS):
        up.append(_to_eighty(count, "".join(_file(f"other{number}") for number in range(DOWN))))
        with _deaf() as port:
            down.append(_to_eighty(count, "".join(_down(number, port) for number in range(DOWN))))
    mine, reference = statistics.median(down), statistics.median(up)
    ratio = mine / reference
    what = f"{DOWN} of {HEALTHY + DOWN} destinations down"
    return [Row(what, f"{mine:,.0f} to others/s", f"{reference:,.0f} with all up", ratio, ">= 0.90", ratio >= 0.9)]


def _to_eighty(count: int, others: str) -> float:
    """From the first POST to the last delivery at the healthy ones; all have had messages before."""
    names = [f"file{number}" for number in range(HEALTHY)]
    files = "".join(map(_file, names))
    with rig(files + others, ("archive", *names)) as here:
        port = here.collector()
        here.workers(2)
        _fill(port, WARM)
        wait_for(lambda: here.delivered_to(names) == WARM * HEALTHY, pause=0.05)
        time.sleep(6.0)  # until whoever hangs has been found to
        begun = time.perf_counter()
        _fill(port, count)
        wait_for(lambda: here.delivered_to(names) == (WARM + count) * HEALTHY, pause=0.05)
        return count * HEALTHY / (time.perf_counter() - begun)


def _file(name: str) -> str:
    return f'[destinations.{name}]\ntype = "file"\npath = "{{directory}}/{name}.jsonl"\n'


def _down(number: int, deaf: int) -> str:
    """Half of them refuse connections, half of them take one and never answer."""
    port = 9 if number % 2 else deaf
    return f'[destinations.down{number}]\ntype = "webhook"\nurl = "http://127.0.0.1:{port}/"\nallow_private = true\n'


@contextmanager
def _deaf() -> Iterator[int]:
    """The port of a server that accepts and never answers: the system does, for as long as its backlog lasts."""
    with socket.create_server(("127.0.0.1", 0), backlog=4_096) as server:
        yield int(server.getsockname()[1])


def _fill(port: int, count: int) -> None:
    size = min(BATCH, count)
    requests = (post("/v1/batch", messages.batch(size)) for _ in range(count // size))
    load = hammer(port, requests, connections=8)
    assert load.refused == 0, "a batch was refused"
