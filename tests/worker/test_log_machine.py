"""The log's promises, held against every order of events that Hypothesis can think of, on a real server."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import ClassVar, cast

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from worker import connect, keys, scripts
from worker.appending import Terms, append_call
from worker.embedded import Server
from worker.log import Entry, Lease, Log
from worker.settle import Settlement

PARTITION = 0
SOURCES = ("app", "web")
DESTINATIONS = ("archive", "hook")
LEASE_MS = 60_000
TERMS = Terms(routes=dict.fromkeys(SOURCES, DESTINATIONS), partitions=1, window_ms=86_400_000, most_ids=1_000_000)


class Reader:
    """A drain in the middle of its work: what it holds, and what it has in hand."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.source = ""
        self.entries: list[Entry] = []
        self.sent: dict[str, list[int]] = {}


class LogMachine(RuleBasedStateMachine):
    """Posts, reads, failures and crashes in any order; a model says what must have been kept."""

    client: ClassVar[redis.Redis]
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.log = Log(self.client, lease_ms=LEASE_MS)
        self.names = itertools.count()
        self.accepted: dict[str, list[str]] = {source: [] for source in SOURCES}
        self.first_sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.done: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.trimmed_to = 0

    # what happens to a log

    @rule(source=st.sampled_from(SOURCES), size=st.integers(1, 5), apart=st.booleans())
    def post(self, source: str, size: int, apart: bool) -> None:
        """In one entry, or in as many of the same millisecond."""
        self._append(source, [f"m{next(self.names)}" for _ in range(size)], apart=apart)

    @rule(source=st.sampled_from(SOURCES), data=st.data())
    def post_again(self, source: str, data: st.DataObject) -> None:
        """A client's retry, or redis-py's: the same ids, some of them twice in one call, with new ones between."""
        if not self.accepted[source]:
            return
        old = data.draw(st.lists(st.sampled_from(self.accepted[source]), min_size=1, max_size=4))
        new = f"m{next(self.names)}"
        self._append(source, [*old, new, old[0], new])

    @rule(target=readers, destination=st.sampled_from(DESTINATIONS))
    def acquire(self, destination: str) -> Reader | MultipleResults[Reader]:
        held = cast(bool, self.client.exists(keys.lease(PARTITION, destination)))
        match self.log.acquire(PARTITION, destination, f"owner{next(self.names)}"):
            case Lease() as lease:
                assert not held, "one owner at a time"
                return Reader(lease)
        return multiple()

    @rule(
        destination=st.sampled_from(DESTINATIONS),
        source=st.sampled_from(SOURCES),
        most=st.integers(1, 5),
        fail_from=st.sampled_from([1, 2, 1_000]),
    )
    def drain(self, destination: str, source: str, most: int, fail_from: int) -> None:
        """A whole drain, and trimming after it."""
        reader = self.acquire(destination)
        if isinstance(reader, Reader):
            self.read(reader, source, most)
            self.deliver_and_commit(reader, fail_from)
            self.log.idle(reader.lease, source)
            self.release(reader)
            self.trim(source)

    @rule(destination=st.sampled_from(DESTINATIONS), source=st.sampled_from(SOURCES))
    def an_owner_wakes_up_too_late(self, destination: str, source: str) -> None:
        """Its lease has run out, and another has taken it: nothing that it does changes anything."""
        late = self.acquire(destination)
        if isinstance(late, Reader):
            self.read(late, source, 2)
            self.lease_runs_out(destination)
            successor = self.acquire(destination)
            self.commit_without_the_lease(late)
            late.entries = []
            self.read(late, source, 2)
            if isinstance(successor, Reader):
                self.release(successor)

    @rule(reader=readers, source=st.sampled_from(SOURCES), most=st.integers(1, 3))
    def read(self, reader: Reader, source: str, most: int) -> None:
        """Also by an owner whose lease has run out, who gets nothing."""
        if reader.entries:
            return
        reader.source = source
        reader.entries = self.log.pending(reader.lease, source, most)
        if not reader.entries:
            reader.entries = self.log.fresh(reader.lease, source, most)
        if not reader.entries:
            self.log.idle(reader.lease, source)
        assert not reader.entries or self.log.renew(reader.lease), "only who holds the lease is given entries"
        given = {entry.lines[number].decode() for entry in reader.entries for number in entry.unfinished()}
        assert not given & set(self.done[source, reader.lease.destination]), "what is finished is not given out again"

    @rule(reader=readers, fail_from=st.integers(0, 8))
    def deliver_and_commit(self, reader: Reader, fail_from: int) -> None:
        """The first `fail_from` messages go out, the rest fail. An owner whose lease has run out sends nothing."""
        if not reader.entries or not self.log.renew(reader.lease):
            return
        left = {entry.id: entry.unfinished() for entry in reader.entries}
        sent: dict[str, list[int]] = {}
        budget = fail_from
        for entry_id, numbers in left.items():
            sent[entry_id], left[entry_id] = numbers[:budget], numbers[budget:]
            budget = max(0, budget - len(numbers))
        at = (reader.source, reader.lease.destination)
        bodies = {entry.id: entry.lines for entry in reader.entries}
        out = [bodies[entry_id][number].decode() for entry_id, numbers in sent.items() for number in numbers]
        for body in out:
            if body not in self.first_sent[at]:
                self.first_sent[at].append(body)
        settled = Settlement(
            finished=tuple(entry_id for entry_id, numbers in left.items() if not numbers),
            unfinished=tuple((entry_id, tuple(numbers)) for entry_id, numbers in left.items() if numbers),
            delivered=len(out),
        )
        assert self.log.commit(reader.lease, reader.source, settled)
        self.done[at].update(out)
        reader.entries = []

    @rule(reader=consumes(readers))
    def crash_before_commit(self, reader: Reader) -> None:
        """The owner dies; its parent frees the lease."""
        self.log.disown(PARTITION, DESTINATIONS, reader.lease.token.partition(":")[2])

    @rule(destination=st.sampled_from(DESTINATIONS))
    def lease_runs_out(self, destination: str) -> None:
        self.client.delete(keys.lease(PARTITION, destination))

    @rule(reader=readers)
    def commit_without_the_lease(self, reader: Reader) -> None:
        """A paused owner wakes up late: whatever it commits changes nothing."""
        if self.log.renew(reader.lease):
            return
        before = self._snapshot()
        for source in SOURCES:
            everything = tuple(entry_id for entry_id, _ in self._entries(source))
            assert not self.log.commit(reader.lease, source, Settlement(finished=everything, delivered=99))
        assert self._snapshot() == before

    @rule(reader=consumes(readers))
    def release(self, reader: Reader) -> None:
        """What is in hand stays pending. Nobody lets go of work that is due."""
        due = any(self._unfinished(source, reader.lease.destination) for source in SOURCES)
        assert not (due and self.log.release(reader.lease) == "idle")
        self.log.release_anyway(reader.lease)

    @rule()
    def sweep(self) -> None:
        nudged = self.log.sweep(PARTITION, DESTINATIONS, again_ms=0, armed_ms=5_000)
        for destination in DESTINATIONS:
            at = (PARTITION, destination)
            due = self.client.zcard(keys.ready(*at)) > 0
            owned = bool(self.client.exists(keys.lease(*at)))
            assert (destination in nudged) == (due and not owned)

    @rule(source=st.sampled_from(SOURCES))
    def trim(self, source: str) -> None:
        unfinished = {d: self._unfinished(source, d) for d in DESTINATIONS}
        self.log.trim(PARTITION, source, DESTINATIONS)
        kept = {body for _, bodies in self._entries(source) for body in bodies}
        for destination, bodies in unfinished.items():
            assert bodies <= kept, f"trimming dropped what {destination} had not finished with"

    # what must hold whenever one looks

    @invariant()
    def nothing_is_in_the_log_twice(self) -> None:
        for source in SOURCES:
            counts = Counter(body for _, bodies in self._entries(source) for body in bodies)
            assert not [body for body, times in counts.items() if times > 1]

    @invariant()
    def nothing_is_lost_and_what_is_unfinished_is_on_the_ready_list(self) -> None:
        for source, destination in itertools.product(SOURCES, DESTINATIONS):
            done = set(self.done[source, destination])
            unfinished = self._unfinished(source, destination)
            assert done | unfinished == set(self.accepted[source])
            if unfinished:
                assert self.client.zscore(keys.ready(PARTITION, destination), source) is not None

    @invariant()
    def first_deliveries_come_in_the_order_of_the_log(self) -> None:
        for (source, _), bodies in self.first_sent.items():
            assert bodies == self.accepted[source][: len(bodies)]

    @invariant()
    def the_counts_agree(self) -> None:
        for source in SOURCES:
            counts = cast("dict[bytes, bytes]", self.client.hgetall(keys.count(PARTITION, source)))
            assert int(counts.get(b"received", 0)) == len(self.accepted[source])
            for destination in DESTINATIONS:
                delivered = int(counts.get(f"delivered:{destination}".encode(), 0))
                assert delivered == self.done[source, destination].total()

    # looking into the server

    def _append(self, source: str, bodies: list[str], *, apart: bool = False) -> None:
        digests = [keys.digest_of(source, body) for body in bodies]
        names, arguments = append_call(TERMS, PARTITION, source, digests, [body.encode() for body in bodies])
        if apart:
            arguments[-2:] = [part for body in bodies for part in (1, body.encode())]
        answer = self.client.eval(scripts.APPEND.text, len(names), *names, *arguments)
        new = [body for body in dict.fromkeys(bodies) if body not in self.accepted[source]]
        assert cast("list[int]", answer)[:2] == [len(new), len(bodies) - len(new)]
        self.accepted[source] += new

    def _entries(self, source: str) -> Iterator[tuple[str, list[str]]]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.log(PARTITION, source)))
        for entry_id, fields in found:
            yield entry_id.decode(), fields[b"m"].decode().split("\n")

    def _unfinished(self, source: str, destination: str) -> set[str]:
        """What the group has not been given yet, and what it was given and has not finished."""
        stream = keys.log(PARTITION, source)
        if not self.client.exists(stream):
            return set()
        groups = cast("list[dict[str, bytes]]", self.client.xinfo_groups(stream))
        last = next(group["last-delivered-id"] for group in groups if group["name"] == destination.encode())
        rows = cast("list[dict[str, bytes]]", self.client.xpending_range(stream, destination, "-", "+", 1_000))
        pending = {row["message_id"].decode() for row in rows}
        left = cast("dict[bytes, bytes]", self.client.hgetall(keys.left(PARTITION, source, destination)))
        found: set[str] = set()
        for entry_id, bodies in self._entries(source):
            if _order(entry_id) > _order(last.decode()):
                found.update(bodies)
            elif entry_id in pending:
                numbers = left.get(entry_id.encode())
                wanted = range(len(bodies)) if numbers is None else map(int, numbers.split(b","))
                found.update(bodies[number] for number in wanted)
        return found

    def _snapshot(self) -> dict[bytes, object]:
        names = cast("list[bytes]", self.client.keys("*"))
        return {name: self.client.dump(name) for name in sorted(names)}


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def test_the_log_keeps_its_promises_whatever_happens_in_whatever_order(rq_process: Server) -> None:
    """On the server that does not wait for its disk: what a crash of the server keeps is not the question here."""
    LogMachine.client = connect.client(rq_process.url, timeout=5.0)
    run_state_machine_as_test(
        LogMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    LogMachine.client.close()
