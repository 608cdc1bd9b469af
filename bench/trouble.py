"""What failures cost those who do not fail: other messages beside failing ones, other destinations beside dead ones."""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

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
LIVE = 200


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


def replay(count: int) -> list[Row]:
    """From POST to receipt of a live message while the past is sent to the same webhook again, against without."""
    clock = _Clock()
    with Receiver() as receiver, rig(HOOK.format(url=receiver.url) + "batch_size = 100\n", ("archive", "hook")) as here:
        receiver.always(clock)
        port = here.collector()
        here.workers(2)
        _fill(port, count)
        wait_for(lambda: here.waiting() == 0, pause=0.1)
        alone = [clock.time(port) for _ in range(LIVE)]
        command = here.command("replay", "--to", "hook", "--yes")
        wait_for(lambda: clock.marked > 0)
        beside: list[float] = []
        while command.poll() is None and len(beside) < LIVE:
            beside.append(clock.time(port))
        here.end(command)
    assert len(beside) >= LIVE / 4, "the replay was over too soon: nothing is measured"
    mine, reference = _p99(beside), _p99(alone)
    ratio = mine / reference
    return [
        Row("live p99 beside a replay", f"{mine:.1f} ms", f"{reference:.1f} ms without", ratio, "< 2.00", ratio < 2.0)
    ]


def _p99(taken: list[float]) -> float:
    return sorted(taken)[max(0, int(len(taken) * 0.99) - 1)]


class _Clock:
    """Takes everything, and tells when a message has come."""

    def __init__(self) -> None:
        self.marked = 0
        """Requests of replays."""
        self._awaited = b""
        self._came = threading.Event()

    def __call__(self, received: Received) -> Act:
        if "x-turnout-replay" in received.headers:
            self.marked += 1
        elif self._awaited and self._awaited in received.body:
            self._came.set()
        return Answer(200)

    def time(self, port: int) -> float:
        """Milliseconds from the POST of a message to its receipt."""
        body = messages.single()
        self._came.clear()
        self._awaited = msgspec.json.decode(body)["messageId"].encode()
        begun = time.perf_counter()
        hammer(port, iter([post("/v1/track", body)]), connections=1)
        assert self._came.wait(60), "a live message did not come"
        return 1000 * (time.perf_counter() - begun)


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
