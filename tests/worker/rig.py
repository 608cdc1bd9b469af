"""A small real system to test the worker with: a log server, destinations that follow a script, couriers."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import pytest
import redis

from destinations.adapter import Destination
from destinations.outcome import Delivered, Outcome
from schemas.envelope import Envelope, decode_head
from tests.waiting import eventually
from worker import keys, scripts
from worker.appending import Terms, append_call
from worker.breaker import Breaker
from worker.config import Config, DestinationTable, LogSettings, Source
from worker.courier import Courier, Pace
from worker.keeper import Keeper
from worker.log import Lease, Log
from worker.retry import RetryPolicy
from worker.scripts import Script
from worker.story import Passage

SOON = RetryPolicy(first=0.02, factor=1.0, longest=0.02)
"""Waits so short that a test need not."""

LATER = RetryPolicy(first=600.0)
"""Waits that no test sees the end of."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the worker may catch it."""


def killing(*names: str) -> "Answer":
    """Kills the worker when one of these messages is among those it is given."""

    def answer(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(envelope.head.message_id in names for envelope in batch):
            raise Killed
        return all_delivered(batch)

    return answer


class Named(msgspec.Struct, rename="camel"):
    message_id: str


class Seen(msgspec.Struct):
    """A message in a retry lane, as far as tests look."""

    position: str
    line: str
    message: Named
    attempts: int = 0

    @property
    def message_id(self) -> str:
        return self.message.message_id


Answer = Callable[[Sequence[Envelope]], Sequence[Outcome]]


class NoSettings(msgspec.Struct, frozen=True):
    """Nothing to set."""


class Scripted(Destination[NoSettings]):
    """Answers as the test says, and remembers what it was given, call by call."""

    shape = NoSettings

    def __init__(self, answer: Answer | None = None, *, name: str = "hook", batch_messages: int = 500) -> None:
        super().__init__(name, NoSettings())
        self.answer = answer or all_delivered
        self.batch_messages = batch_messages
        self.calls: list[list[Envelope]] = []

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        self.calls.append(list(batch))
        return self.answer(batch)

    def names(self) -> list[str]:
        """The messages it was given, repeats included."""
        return [envelope.head.message_id for call in self.calls for envelope in call]


def all_delivered(batch: Sequence[Envelope]) -> Sequence[Outcome]:
    return [Delivered()] * len(batch)


def always(outcome: Outcome) -> Answer:
    return lambda batch: [outcome] * len(batch)


def by_name(**outcomes: Outcome) -> Answer:
    """The outcome of each message by its name; the others are delivered."""
    return lambda batch: [outcomes.get(envelope.head.message_id, Delivered()) for envelope in batch]


def in_turn(*answers: Answer) -> Answer:
    """One answer a call, and the last for all that follow."""
    left = list(answers)

    def answer(batch: Sequence[Envelope]) -> Sequence[Outcome]:
        return (left.pop(0) if len(left) > 1 else left[0])(batch)

    return answer


def body(name: str, *, user: str = "u", integrations: dict[str, Any] | None = None) -> bytes:
    at = "2024-02-29T12:00:00.000Z"
    message = {"type": "track", "messageId": name, "userId": user, "event": "E", "timestamp": at, "receivedAt": at}
    return msgspec.json.encode(message | ({"integrations": integrations} if integrations else {}))


def envelope(name: str, *, position: str = "1-0/0") -> Envelope:
    stored = body(name)
    return Envelope(source="web", body=stored, head=decode_head(stored), lane="p00", position=position)


def config(*destinations: str, partitions: int = 1) -> Config:
    """A source `web` that goes to these."""
    return Config(
        log=LogSettings(partitions=partitions),
        sources={"web": Source(destinations=destinations)},
        destinations={name: DestinationTable(type="console") for name in destinations},
    )


def terms(
    *destinations: str, sources: Sequence[str] = ("web",), window_ms: int = 86_400_000, most: int = 1_000_000
) -> Terms:
    return Terms(routes=dict.fromkeys(sources, destinations), partitions=1, window_ms=window_ms, most_ids=most)


def run(client: "redis.Redis", script: Script, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
    return client.eval(script.text, len(names), *names, *cast("Sequence[str]", arguments))


def append(
    client: "redis.Redis", about: Terms, *names: str, source: str = "web", bodies: Sequence[bytes] = ()
) -> list[int]:
    """One call of the append script: appended, duplicates, positions of the destinations to nudge."""
    digests = [keys.digest_of(source, name) for name in names]
    called, arguments = append_call(about, 0, source, digests, bodies or [body(name) for name in names])
    return cast("list[int]", run(client, scripts.APPEND, called, arguments))


class Line:
    """Partition 0 of a log with one destination, `hook`."""

    def __init__(self, client: "redis.Redis", *, lease_ms: int = 10_000, sources: Sequence[str] = ("web",)) -> None:
        self.client = client
        self.log = Log(client, lease_ms=lease_ms)
        self.breaker = Breaker(client)
        self.terms = terms("hook", sources=sources)
        self._keepers: list[Keeper] = []

    def post(self, *names: str, source: str = "web") -> list[int]:
        """One entry a message."""
        return [append(self.client, self.terms, name, source=source)[0] for name in names]

    def post_together(self, *names: str, source: str = "web") -> None:
        """One entry for all."""
        append(self.client, self.terms, *names, source=source)

    def courier(
        self,
        destination: Destination[Any],
        *,
        owner: str = "w1",
        policy: RetryPolicy = SOON,
        pace: Pace = Pace(),  # noqa: B008  frozen
        keep_every: float = 60.0,
        stopping: Callable[[], bool] = lambda: False,
        most_aside: int = 10_000,
    ) -> Courier:
        keeper = Keeper(self.log.renew, interval=keep_every)
        self._keepers.append(keeper)
        return Courier(
            self.log,
            {"hook": destination},
            keeper,
            self.breaker,
            owner=owner,
            policy=lambda name: policy,
            pace=pace,
            most_aside=most_aside,
            chance=lambda: 0.5,
            stopping=stopping,
        )

    def lease(self, owner: str = "w1") -> Lease:
        lease = self.log.acquire(0, "hook", owner)
        assert isinstance(lease, Lease)
        return lease

    def drained(self, courier: Courier) -> str:
        """Drain until the destination is no longer out, as the sweep would."""
        ended: list[str] = []

        def tried() -> bool:
            ended.append(courier.drain(0, "hook"))
            return ended[-1] != "paused"

        eventually(tried)
        return ended[-1]

    def pending(self, source: str = "web") -> int:
        return int(self.client.xpending(keys.log(0, source), "hook")["pending"])

    def counts(self, source: str = "web") -> dict[str, int]:
        found = cast("dict[bytes, bytes]", self.client.hgetall(keys.count(0, source)))
        return {name.decode(): int(value) for name, value in found.items()}

    def letters(self) -> list[dict[str, Any]]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.dead(0, "hook")))
        return [msgspec.json.decode(fields[b"letter"]) for _, fields in found]

    def aside(self) -> dict[str, list[str]]:
        """The names of the messages in each retry lane."""
        names = cast("list[bytes]", self.client.zrange(keys.aside(0, "hook"), 0, -1))
        return {name.decode(): [put.message_id for put in self.puts(name.decode())] for name in names}

    def puts(self, lane: str) -> list["Seen"]:
        records = cast("list[bytes]", self.client.lrange(keys.lane_of(0, "hook", lane), 0, -1))
        return [msgspec.json.decode(record, type=Seen) for record in records]

    def names_aside(self) -> list[str]:
        return sorted(name for names in self.aside().values() for name in names)

    def passages(self) -> list[Passage]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.story(0)))
        return [msgspec.json.decode(fields[b"s"], type=Passage) for _, fields in found]

    def die_with(self, courier: Courier) -> None:
        """The worker is killed in the middle of its delivery, and its parent frees what it held."""
        with pytest.raises(Killed):
            courier.drain(0, "hook")
        self.client.delete(keys.lease(0, "hook"))

    def waiting(self, source: str = "web") -> bool:
        """Whether the destination has the source on its ready list."""
        return self.client.zscore(keys.ready(0, "hook"), source) is not None

    def close(self) -> None:
        for keeper in self._keepers:
            keeper.close()


@contextmanager
def forked(work: Callable[[], None]) -> Iterator[int]:
    """`work` in a process of its own; killed at the end, if it still runs."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    try:
        yield pid
    finally:
        if not _ended(pid):
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def exit_code(pid: int, *, within: float = 30.0) -> int:
    """How a child ended: minus the signal, if it was killed."""
    found = eventually(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), within=within)
    assert found is not None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def server_ms() -> int:
    """The servers of the tests share our clock."""
    return int(time.time() * 1000)
