"""The log's promises, held against every order of events that Hypothesis can think of, on a real server."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Literal, cast

import msgspec
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

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


class Owner:
    """A drain in the middle of its work."""

    def __init__(self, lease: Lease, clear: set[str] | None = None) -> None:
        self.lease = lease
        self.clear = clear or set()


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

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.log = Log(self.client, lease_ms=LEASE_MS)
        self.names = itertools.count()
        self.users: dict[str, str] = {}
        self.accepted: dict[str, list[str]] = {source: [] for source in SOURCES}
        self.sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.done: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.stalled: dict[str, list[Lease]] = defaultdict(list)
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

    @initialize(users=st.text("xyz", min_size=4, max_size=9))
    def begin(self, users: str) -> None:
        for source in SOURCES:
            self.post(source, users, True)

    @rule(source=st.sampled_from(SOURCES), users=st.text("xyz", min_size=1, max_size=7), apart=st.booleans())
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

    FATES = st.lists(
        st.sampled_from([*OUTCOMES, *OUTCOMES, *["delivered"] * 6, "busy", "killed"]), min_size=3, max_size=8
    )
    BATCHES = st.lists(
        st.tuples(st.sampled_from(["line", "line", "probe", "lanes"]), st.sampled_from(SOURCES), FATES),
        min_size=1,
        max_size=4,
    )

    @rule(
        destination=st.sampled_from(DESTINATIONS), batches=BATCHES, end=st.sampled_from(["release", "release", "stall"])
    )
    def drain(self, destination: str, batches: list[tuple[Kind, str, list[str]]], end: str) -> None:
        """Some batches with any outcomes, until one kills the worker. Who stalls keeps its lease, and may lose it."""
        self.lease_runs_out(destination)
        owner = self.acquire(destination)
        for kind, source, fates in batches:
            self.time_passes(destination)
            if owner is not None:
                owner = self.carry(owner, kind, source, fates)
        if owner is not None and end == "release":
            self.release(owner)
        elif owner is not None:
            self.stalled[destination].append(owner.lease)

    @rule(
        destination=st.sampled_from(DESTINATIONS),
        source=st.sampled_from(SOURCES),
        kind=st.sampled_from(["line", "lanes"]),
        deaths=st.integers(2, 8),
    )
    def workers_die_one_after_the_other(self, destination: str, source: str, kind: Kind, deaths: int) -> None:
        for _ in range(deaths):
            self.drain(destination, [(kind, source, ["killed"])], "release")

    def acquire(self, destination: str) -> Owner | None:
        held = cast(bool, self.client.exists(keys.lease(PARTITION, destination)))
        match self.log.acquire(PARTITION, destination, f"owner{next(self.names)}"):
            case Lease() as lease:
                assert not held, "one owner at a time"
                assert lease.aside == sum(map(len, lanes_of(self.client, destination).values()))
                return Owner(lease)
        assert held
        return None

    def carry(self, owner: Owner, kind: Kind, source: str, fates: list[str]) -> Owner | None:
        """One batch; None when its worker is dead afterwards."""
        destination = owner.lease.destination
        adapter = self.adapters[destination]
        adapter.plan, adapter.sent = itertools.cycle([*fates, "delivered"]), []
        lease = msgspec.structs.replace(owner.lease, probing=kind == "probe")
        carries: dict[Kind, Callable[[], Carried | None]] = {
            "line": lambda: self.carriage.line(lease, source, owner.clear),
            "probe": lambda: self.carriage.probe(lease, source),
            "lanes": lambda: self.carriage.lanes(lease),
        }
        try:
            carried = carries[kind]()
        except Killed:
            self.client.delete(keys.lease(PARTITION, destination))
            self._remember(destination, finished=False)
            return None
        assert carried
        self._remember(destination, finished=True)
        return Owner(carried.lease, owner.clear)

    def release(self, owner: Owner) -> None:
        """What is in hand stays pending. Nobody lets go of work that is due."""
        due = self._due(owner.lease.destination)
        assert not (due and self.log.release(owner.lease) == "idle")
        self.log.release_anyway(owner.lease)

    def time_passes(self, destination: str) -> None:
        """What waits in the lanes is due."""
        lanes = cast("list[bytes]", self.client.zrange(keys.aside(PARTITION, destination), 0, -1))
        if lanes:
            self.client.zadd(keys.aside(PARTITION, destination), dict.fromkeys(lanes, 1))

    @rule(destination=st.sampled_from(DESTINATIONS))
    def lease_runs_out(self, destination: str) -> None:
        self.client.delete(keys.lease(PARTITION, destination))

    @rule(destination=st.sampled_from(DESTINATIONS))
    def a_stalled_owner_wakes_up(self, destination: str) -> None:
        """When its lease has run out meanwhile, nothing that it does changes anything."""
        for lease in self.stalled.pop(destination, []):
            if self.log.renew(lease):
                self.release(Owner(lease))
                continue
            before = self._snapshot()
            for source in SOURCES:
                everything = tuple(entry_id for entry_id, _ in Seen(self.client, source).entries)
                settlement = Settlement(finished=everything, counts=((source, "delivered", 99),))
                assert self.log.commit(lease, source, settlement) is None
                assert not self.log.pending(lease, source, 9).entries
                assert not self.log.fresh(lease, source, 9).entries
            assert not self.log.lanes(lease, most_lanes=9, most=9).parcels
            assert self._snapshot() == before

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
        unfinished = {d: Seen(self.client, source).unfinished(d) for d in DESTINATIONS}
        self.log.trim(PARTITION, source, DESTINATIONS)
        kept = {name for _, names in Seen(self.client, source).entries for name in names}
        for destination, names in unfinished.items():
            assert names <= kept, f"trimming dropped what {destination} had not finished with"

    # what must hold whenever one looks

    @invariant()
    def the_promises_hold(self) -> None:
        seen = {source: Seen(self.client, source) for source in SOURCES}
        asides = {destination: lanes_of(self.client, destination) for destination in DESTINATIONS}
        dead = {destination: dead_of(self.client, destination) for destination in DESTINATIONS}
        for source in SOURCES:
            self._nothing_is_in_the_log_twice(seen[source])
            for destination in DESTINATIONS:
                buried = [name for at, name in dead[destination] if at == source]
                self._every_message_is_in_one_place(seen[source], destination, asides[destination], buried)
                self._nothing_overtakes_an_earlier_message_of_its_user(source, destination, buried)
                self._the_counts_agree(seen[source], destination, buried)
        for destination in DESTINATIONS:
            self._every_lane_holds_one_user_in_order_and_is_counted(destination, asides[destination])

    def _nothing_is_in_the_log_twice(self, seen: "Seen") -> None:
        counts = Counter(name for _, names in seen.entries for name in names)
        assert not [name for name, times in counts.items() if times > 1]

    def _every_message_is_in_one_place(
        self, seen: "Seen", destination: str, lanes: "Lanes", buried: Sequence[str]
    ) -> None:
        """What is unfinished is on the ready list."""
        unfinished = seen.unfinished(destination)
        aside = [name for names in lanes.values() for at, name in names if at == seen.source]
        places = Counter([*unfinished, *aside, *self.done[seen.source, destination], *buried])
        assert places == Counter(self.accepted[seen.source])
        assert not unfinished or seen.ready[destination]

    def _every_lane_holds_one_user_in_order_and_is_counted(self, destination: str, lanes: "Lanes") -> None:
        due = cast("list[bytes]", self.client.zrange(keys.aside(PARTITION, destination), 0, -1))
        assert set(lanes) == {lane.decode() for lane in due}
        total = sum(map(len, lanes.values()))
        assert int(self.client.get(keys.apart(PARTITION, destination)) or 0) == total <= MOST_ASIDE
        for places in lanes.values():
            assert len({(source, self.users[name]) for source, name in places}) == 1
            assert places == sorted(places, key=lambda place: int(place[1][1:]))

    def _nothing_overtakes_an_earlier_message_of_its_user(
        self, source: str, destination: str, buried: Sequence[str]
    ) -> None:
        names = self.sent[source, destination]
        for user in "xyz":
            mine = [name for name in names if self.users[name] == user]
            there = [name for name in self.accepted[source] if self.users[name] == user]
            assert mine == [name for name in there if name in mine], "in order"
            if mine:
                assert set(there[: there.index(mine[-1])]) <= {*mine, *buried}, "without holes"

    def _the_counts_agree(self, seen: "Seen", destination: str, buried: Sequence[str]) -> None:
        assert seen.counts.get("received", 0) == len(self.accepted[seen.source])
        assert seen.counts.get(f"delivered:{destination}", 0) == self.done[seen.source, destination].total()
        assert seen.counts.get(f"dead:{destination}", 0) == len(buried)

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
        return lanes_due or any(Seen(self.client, source).unfinished(destination) for source in SOURCES)

    def _snapshot(self) -> dict[bytes, object]:
        names = cast("list[bytes]", self.client.keys("*"))
        return {name: self.client.dump(name) for name in sorted(names)}


class Seen:
    """What the server holds of one source, in one look."""

    def __init__(self, client: "redis.Redis", source: str) -> None:
        self.source = source
        stream = keys.log(PARTITION, source)
        pipe = client.pipeline(transaction=True)
        pipe.xrange(stream)
        pipe.hgetall(keys.count(PARTITION, source))
        pipe.xinfo_groups(stream)
        for destination in DESTINATIONS:
            pipe.xpending_range(stream, destination, "-", "+", 1_000)
            pipe.hgetall(keys.left(PARTITION, source, destination))
            pipe.zscore(keys.ready(PARTITION, destination), source)
        entries, counts, self._groups, *rest = pipe.execute(raise_on_error=False)
        self.entries = [
            (found.decode(), [_name(one) for one in fields[b"m"].split(b"\n")]) for found, fields in entries
        ]
        self.counts = {field.decode(): int(number) for field, number in counts.items()}
        self._pending = dict(zip(DESTINATIONS, rest[0::3], strict=True))
        self._left = dict(zip(DESTINATIONS, rest[1::3], strict=True))
        self.ready = {name: score is not None for name, score in zip(DESTINATIONS, rest[2::3], strict=True)}

    def unfinished(self, destination: str) -> set[str]:
        """What the group has not been given yet, and what it was given and has not finished."""
        if isinstance(self._groups, redis.RedisError):
            return set()
        last = next(one["last-delivered-id"] for one in self._groups if one["name"] == destination.encode())
        pending = {row["message_id"].decode() for row in self._pending[destination]}
        found: set[str] = set()
        for entry_id, names in self.entries:
            if _order(entry_id) > _order(last.decode()):
                found.update(names)
            elif entry_id in pending:
                numbers = self._left[destination].get(entry_id.encode())
                wanted = range(len(names)) if numbers is None else map(int, numbers.split(b","))
                found.update(names[number] for number in wanted)
        return found


Lanes = dict[str, list[tuple[str, str]]]
"""Source and name of the messages in each retry lane."""


def lanes_of(client: "redis.Redis", destination: str) -> Lanes:
    start = keys.lane_of(PARTITION, destination, "")
    found: Lanes = {}
    for key in cast("list[bytes]", client.keys(f"{start}*")):
        puts = [msgspec.json.decode(put) for put in cast("list[bytes]", client.lrange(key, 0, -1))]
        found[key.decode()[len(start) :]] = [(put["line"], put["message"]["messageId"]) for put in puts]
    return found


def dead_of(client: "redis.Redis", destination: str) -> list[tuple[str, str]]:
    """Source and name of each dead letter."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(keys.dead(PARTITION, destination)))
    letters = [msgspec.json.decode(fields[b"letter"]) for _, fields in found]
    return [(letter["source"], letter["messageId"]) for letter in letters]


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
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    LogMachine.client.close()
