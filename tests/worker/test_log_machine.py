"""The log's promises, held against every order of events that Hypothesis can think of, on a real server."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Literal, cast

import msgspec
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

from destinations.outcome import Deferred, Delivered, Outcome, Rejected, is_final
from schemas.envelope import Envelope
from tests.worker.rig import Killed, Scripted, body
from worker import connect, keys, scripts
from worker.appending import Terms, append_call
from worker.carriage import Carriage, Carried
from worker.carriage import Terms as Conditions
from worker.embedded import Server
from worker.log import Lease, Log
from worker.retry import RetryPolicy
from worker.settle import Settlement

PARTITION = 0
SOURCES = ("app", "web")
DESTINATIONS = ("archive", "hook")
LEASE_MS = 60_000
MOST_ASIDE = 12
TERMS = Terms(routes=dict.fromkeys(SOURCES, DESTINATIONS), partitions=1, window_ms=86_400_000, most_ids=1_000_000)
OUTCOMES: dict[str, Outcome] = {
    "delivered": Delivered(),
    "refused": Rejected("bad"),
    "busy": Deferred("500"),
    "cut": Deferred("cut", scope="destination"),
    "untried": Deferred("not tried", 0.0),
    "bug": Deferred("bug", scope="adapter"),
}
Kind = Literal["line", "probe", "lanes"]


class Head(msgspec.Struct, rename="camel"):
    message_id: str
    user_id: str


class Reader:
    """A drain in the middle of its work."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.clear: set[str] = set()


class Fickle(Scripted):
    """Does to each message what Hypothesis says, and like any adapter sends nothing past an unsent one of a user."""

    def __init__(self, name: str) -> None:
        super().__init__(self.answering, name=name, batch_messages=4)
        self.plan: Iterator[str] = iter(())
        self.sent: list[tuple[str, str]] = []
        """Source and name of the messages that got through, since the last look."""

    def answering(self, batch: Sequence[Envelope]) -> Sequence[Outcome]:
        held: set[tuple[str, str | None]] = set()
        outcomes = []
        for envelope in batch:
            user = (envelope.source, envelope.head.user_id)
            fate = next(self.plan)
            if fate == "killed":
                raise Killed
            outcome = OUTCOMES["untried" if user in held else fate]
            if not is_final(outcome):
                held.add(user)
            if isinstance(outcome, Delivered):
                self.sent.append((envelope.source, envelope.head.message_id))
            outcomes.append(outcome)
        return outcomes


class LogMachine(RuleBasedStateMachine):
    """Posts, deliveries, failures, crashes in any order; a model says what must have been kept."""

    client: ClassVar[redis.Redis]
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.log = Log(self.client, lease_ms=LEASE_MS)
        self.names = itertools.count()
        self.users: dict[str, str] = {}
        self.accepted: dict[str, list[str]] = {source: [] for source in SOURCES}
        self.sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.done: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.adapters = {name: Fickle(name) for name in DESTINATIONS}
        conditions = Conditions(
            owner="w",
            policy=lambda name: RetryPolicy(first=60.0, attempts=2),
            chance=lambda: 0.5,
            delivery=60.0,
            most_aside=MOST_ASIDE,
        )
        self.carriage = Carriage(self.log, self.adapters, conditions)

    # what happens to a log

    @rule(source=st.sampled_from(SOURCES), users=st.text("xyz", min_size=1, max_size=5), apart=st.booleans())
    def post(self, source: str, users: str, apart: bool) -> None:
        """In one entry, or in as many of the same millisecond."""
        names = [f"m{next(self.names)}" for _ in users]
        self.users |= dict(zip(names, users, strict=True))
        self._append(source, names, apart=apart)

    @rule(source=st.sampled_from(SOURCES), data=st.data())
    def post_again(self, source: str, data: st.DataObject) -> None:
        """A client's retry, or redis-py's: the same ids, some of them twice in one call, with new ones between."""
        if not self.accepted[source]:
            return
        old = data.draw(st.lists(st.sampled_from(self.accepted[source]), min_size=1, max_size=4))
        new = f"m{next(self.names)}"
        self.users[new] = "x"
        self._append(source, [*old, new, old[0], new])

    @rule(target=readers, destination=st.sampled_from(DESTINATIONS))
    def acquire(self, destination: str) -> Reader | MultipleResults[Reader]:
        held = cast(bool, self.client.exists(keys.lease(PARTITION, destination)))
        match self.log.acquire(PARTITION, destination, f"owner{next(self.names)}"):
            case Lease() as lease:
                assert not held, "one owner at a time"
                assert lease.aside == sum(map(len, self._lanes(destination).values()))
                return Reader(lease)
        return multiple()

    FATES = st.lists(st.sampled_from([*OUTCOMES, "delivered", "delivered", "killed"]), min_size=1, max_size=8)

    @rule(
        reader=readers,
        source=st.sampled_from(SOURCES),
        kind=st.sampled_from(["line", "probe", "lanes"]),
        fates=FATES,
    )
    def carry(self, reader: Reader, source: str, kind: Kind, fates: list[str]) -> None:
        """One batch, with any outcomes. An owner whose lease has run out does nothing."""
        if not self.log.renew(reader.lease):
            return
        destination = reader.lease.destination
        adapter = self.adapters[destination]
        adapter.plan, adapter.sent = itertools.cycle([*fates, "delivered"]), []
        lease = msgspec.structs.replace(reader.lease, probing=kind == "probe")
        carries: dict[Kind, Callable[[], Carried | None]] = {
            "line": lambda: self.carriage.line(lease, source, reader.clear),
            "probe": lambda: self.carriage.probe(lease, source),
            "lanes": lambda: self.carriage.lanes(lease),
        }
        killed, carried = False, None
        try:
            carried = carries[kind]()
        except Killed:
            killed = True
            self.client.delete(keys.lease(PARTITION, destination))
        assert carried or killed
        self._remember(destination, finished=carried is not None)
        if carried:
            reader.lease = carried.lease

    @rule(destination=st.sampled_from(DESTINATIONS), source=st.sampled_from(SOURCES), fates=FATES)
    def drain(self, destination: str, source: str, fates: list[str]) -> None:
        """A whole drain, and trimming after it."""
        reader = self.acquire(destination)
        if isinstance(reader, Reader):
            self.carry(reader, source, "lanes", fates)
            self.carry(reader, source, "line", fates)
            self.release(reader)
            self.trim(source)

    @rule(destination=st.sampled_from(DESTINATIONS), source=st.sampled_from(SOURCES))
    def a_message_kills_again_and_again(self, destination: str, source: str) -> None:
        """Until it is found and buried, or until nothing is left to kill with."""
        for _ in range(8):
            reader = self.acquire(destination)
            if isinstance(reader, Reader):
                self.carry(reader, source, "line", ["killed"])
                self.log.release_anyway(reader.lease)

    @rule(destination=st.sampled_from(DESTINATIONS))
    def time_passes(self, destination: str) -> None:
        """What waits in the lanes is due."""
        lanes = cast("list[bytes]", self.client.zrange(keys.aside(PARTITION, destination), 0, -1))
        if lanes:
            self.client.zadd(keys.aside(PARTITION, destination), dict.fromkeys(lanes, 1))

    @rule(destination=st.sampled_from(DESTINATIONS), source=st.sampled_from(SOURCES))
    def an_owner_wakes_up_too_late(self, destination: str, source: str) -> None:
        """Its lease has run out, and another has taken it: nothing that it does changes anything."""
        late = self.acquire(destination)
        if isinstance(late, Reader):
            self.lease_runs_out(destination)
            successor = self.acquire(destination)
            self.commit_without_the_lease(late)
            if isinstance(successor, Reader):
                self.release(successor)

    @rule(reader=consumes(readers))
    def crash(self, reader: Reader) -> None:
        """The owner dies; its parent frees the lease."""
        self.log.disown(PARTITION, DESTINATIONS, reader.lease.token.partition(":")[2])

    @rule(destination=st.sampled_from(DESTINATIONS))
    def lease_runs_out(self, destination: str) -> None:
        self.client.delete(keys.lease(PARTITION, destination))

    @rule(reader=readers)
    def commit_without_the_lease(self, reader: Reader) -> None:
        """A paused owner wakes up late: whatever it does changes nothing."""
        if self.log.renew(reader.lease):
            return
        before = self._snapshot()
        for source in SOURCES:
            everything = tuple(entry_id for entry_id, _ in self._entries(source))
            settlement = Settlement(finished=everything, counts=((source, "delivered", 99),))
            assert self.log.commit(reader.lease, source, settlement) is None
            assert not self.log.pending(reader.lease, source, 9).entries
            assert not self.log.fresh(reader.lease, source, 9).entries
        assert not self.log.lanes(reader.lease, most_lanes=9, most=9).parcels
        assert self._snapshot() == before

    @rule(reader=consumes(readers))
    def release(self, reader: Reader) -> None:
        """What is in hand stays pending. Nobody lets go of work that is due."""
        due = self._due(reader.lease.destination)
        assert not (due and self.log.release(reader.lease) == "idle")
        self.log.release_anyway(reader.lease)

    @rule()
    def sweep(self) -> None:
        nudged = self.log.sweep(PARTITION, DESTINATIONS, again_ms=0, armed_ms=5_000)
        for destination in DESTINATIONS:
            at = (PARTITION, destination)
            marked = self.client.zcard(keys.ready(*at)) > 0 or self.client.zcount(keys.aside(*at), 0, 1) > 0
            owned = bool(self.client.exists(keys.lease(*at)))
            assert (destination in nudged) == (marked and not owned)

    @rule(source=st.sampled_from(SOURCES))
    def trim(self, source: str) -> None:
        unfinished = {d: self._unfinished(source, d) for d in DESTINATIONS}
        self.log.trim(PARTITION, source, DESTINATIONS)
        kept = {name for _, names in self._entries(source) for name in names}
        for destination, names in unfinished.items():
            assert names <= kept, f"trimming dropped what {destination} had not finished with"

    # what must hold whenever one looks

    @invariant()
    def nothing_is_in_the_log_twice(self) -> None:
        for source in SOURCES:
            counts = Counter(name for _, names in self._entries(source) for name in names)
            assert not [name for name, times in counts.items() if times > 1]

    @invariant()
    def every_message_is_in_one_place_and_what_is_unfinished_is_on_the_ready_list(self) -> None:
        for source, destination in itertools.product(SOURCES, DESTINATIONS):
            unfinished = self._unfinished(source, destination)
            aside = [name for names in self._lanes(destination).values() for at, name in names if at == source]
            places = Counter([*unfinished, *aside, *self.done[source, destination], *self._dead(source, destination)])
            assert places == Counter(self.accepted[source])
            if unfinished:
                assert self.client.zscore(keys.ready(PARTITION, destination), source) is not None

    @invariant()
    def every_lane_is_due_some_time_holds_one_user_in_order_and_is_counted(self) -> None:
        for destination in DESTINATIONS:
            lanes = self._lanes(destination)
            due = cast("list[bytes]", self.client.zrange(keys.aside(PARTITION, destination), 0, -1))
            assert set(lanes) == {lane.decode() for lane in due}
            total = sum(map(len, lanes.values()))
            assert int(self.client.get(keys.apart(PARTITION, destination)) or 0) == total <= MOST_ASIDE
            for places in lanes.values():
                assert len({(source, self.users[name]) for source, name in places}) == 1
                assert places == sorted(places, key=lambda place: int(place[1][1:]))

    @invariant()
    def nothing_overtakes_an_earlier_message_of_its_user(self) -> None:
        for (source, destination), names in self.sent.items():
            dead = self._dead(source, destination)
            for user in "xyz":
                mine = [name for name in names if self.users[name] == user]
                there = [name for name in self.accepted[source] if self.users[name] == user]
                over = {*mine, *dead}
                assert mine == [name for name in there if name in mine], "in order"
                if mine:
                    assert set(there[: there.index(mine[-1])]) <= over, "without holes"

    @invariant()
    def the_counts_agree(self) -> None:
        for source in SOURCES:
            counts = cast("dict[bytes, bytes]", self.client.hgetall(keys.count(PARTITION, source)))
            assert int(counts.get(b"received", 0)) == len(self.accepted[source])
            for destination in DESTINATIONS:
                delivered = int(counts.get(f"delivered:{destination}".encode(), 0))
                assert delivered == self.done[source, destination].total()
                assert int(counts.get(f"dead:{destination}".encode(), 0)) == len(self._dead(source, destination))

    # looking into the server

    def _append(self, source: str, names: list[str], *, apart: bool = False) -> None:
        digests = [keys.digest_of(source, name) for name in names]
        bodies = [body(name, user=self.users[name]) for name in names]
        called, arguments = append_call(TERMS, PARTITION, source, digests, bodies)
        if apart:
            arguments[-2:] = [part for one in bodies for part in (1, one)]
        answer = self.client.eval(scripts.APPEND.text, len(called), *called, *arguments)
        new = [name for name in dict.fromkeys(names) if name not in self.accepted[source]]
        assert cast("list[int]", answer)[:2] == [len(new), len(names) - len(new)]
        self.accepted[source] += new

    def _remember(self, destination: str, *, finished: bool) -> None:
        """What the adapter has sent; written down only when the commit came through."""
        for source, name in self.adapters[destination].sent:
            if name not in self.sent[source, destination]:
                self.sent[source, destination].append(name)
            if finished:
                assert name not in self.done[source, destination], "what is finished is not given out again"
                self.done[source, destination][name] += 1

    def _due(self, destination: str) -> bool:
        lanes_due = self.client.zcount(keys.aside(PARTITION, destination), 0, 1) > 0
        return lanes_due or any(self._unfinished(source, destination) for source in SOURCES)

    def _entries(self, source: str) -> Iterator[tuple[str, list[str]]]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.log(PARTITION, source)))
        for entry_id, fields in found:
            yield entry_id.decode(), [_name(line) for line in fields[b"m"].split(b"\n")]

    def _lanes(self, destination: str) -> dict[str, list[tuple[str, str]]]:
        """Source and name of the messages in each retry lane."""
        start = keys.lane_of(PARTITION, destination, "")
        found: dict[str, list[tuple[str, str]]] = {}
        for key in cast("list[bytes]", self.client.keys(f"{start}*")):
            puts = [msgspec.json.decode(put) for put in cast("list[bytes]", self.client.lrange(key, 0, -1))]
            found[key.decode()[len(start) :]] = [(put["line"], put["message"]["messageId"]) for put in puts]
        return found

    def _dead(self, source: str, destination: str) -> list[str]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self.client.xrange(keys.dead(PARTITION, destination)))
        letters = [msgspec.json.decode(fields[b"letter"]) for _, fields in found]
        return [letter["messageId"] for letter in letters if letter["source"] == source]

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
        for entry_id, names in self._entries(source):
            if _order(entry_id) > _order(last.decode()):
                found.update(names)
            elif entry_id in pending:
                numbers = left.get(entry_id.encode())
                wanted = range(len(names)) if numbers is None else map(int, numbers.split(b","))
                found.update(names[number] for number in wanted)
        return found

    def _snapshot(self) -> dict[bytes, object]:
        names = cast("list[bytes]", self.client.keys("*"))
        return {name: self.client.dump(name) for name in sorted(names)}


def _name(line: bytes) -> str:
    return msgspec.json.decode(line, type=Head).message_id


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
