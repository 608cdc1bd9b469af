"""The log as its readers see it: leases, entries, commits. One blocking client, one script a step."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import redis

from worker import keys, scripts, tending
from worker.forgetting.memory import Memory, Oblivion
from worker.parcel import Entry, Parcel, parcel_of
from worker.scripts import Call, Script
from worker.settle import Settlement


class Lease(msgspec.Struct, frozen=True):
    """The right to deliver to one destination from one partition, until somebody takes a newer one."""

    partition: int
    destination: str
    token: str
    aside: int = 0
    """How many messages wait in the retry lanes."""
    row: int = 0
    """How many messages failed in a row."""
    attempts: int = 0
    """How often in a row the destination was out already."""
    probing: bool = False
    """The destination is out, and this is the one attempt to find out whether it still is."""
    forgotten: str = ""
    """The state of who is forgotten that holds for what is carried under it; "": nobody ever was."""


class Held(msgspec.Struct, frozen=True):
    """Somebody else has the lease."""


class Read(msgspec.Struct, frozen=True):
    """Entries of a line, oldest first."""

    entries: tuple[Entry, ...] = ()
    deaths: int = 0
    """How often in a row the line was read before without anything coming of it."""


class Taken(msgspec.Struct, frozen=True):
    """Messages from the retry lanes that are due, those of a lane together and in order."""

    parcels: tuple[Parcel, ...] = ()
    deaths: int = 0


class Log:
    """Reads and commits for one process. Raises redis.RedisError when the server does not play along."""

    def __init__(self, client: "redis.Redis", *, lease_ms: int) -> None:
        self._client = client
        self._lease_ms = lease_ms
        self._oblivion = Oblivion(client)

    def acquire(self, partition: int, destination: str, owner: str) -> Lease | Held:
        at = (partition, destination)
        names = [kind(*at) for kind in (keys.lease, keys.fence, keys.armed, keys.later, keys.apart, keys.row)]
        names.append(keys.forgotten(partition))
        match cast(list[bytes], self._run(scripts.ACQUIRE, names, [owner, self._lease_ms])):
            case [b"held"]:
                return Held()
            case [token, aside, row, forgotten]:
                lease = Lease(partition, destination, token.decode(), int(aside), int(row))
                return msgspec.structs.replace(lease, forgotten=forgotten.decode()) if forgotten else lease
            case other:
                raise TypeError(f"acquire answered {other!r}")

    def hush(self, partition: int, destination: str, seconds: float) -> None:
        """Appends send no nudges for it for so long; the sweep does, when there is reason to."""
        now_ms = int(time.time() * 1000)
        self._client.set(keys.armed(partition, destination), now_ms, px=int(seconds * 1000), xx=True)

    def forgotten(self, lease: Lease) -> Memory | None:
        """Who is forgotten, if anybody is."""
        return self._oblivion.memory(lease.forgotten) if lease.forgotten else None

    def renew(self, lease: Lease) -> bool:
        name = keys.lease(lease.partition, lease.destination)
        return bool(self._run(scripts.RENEW, [name], [lease.token, self._lease_ms]))

    def release(self, lease: Lease) -> str:
        """Give the lease back if nothing is due: 'idle', or 'kept' (work is due, go on), or 'lost'."""
        return self._release(lease, "idle")

    def give_way(self, lease: Lease) -> str:
        """Give the lease back if no live messages are due: 'idle', 'later' (others are), 'kept' (go on), or 'lost'."""
        return self._release(lease, "later")

    def release_anyway(self, lease: Lease) -> str:
        """Give the lease back in any case: 'idle', 'more' (live messages are due), 'later' (others are), or 'lost'."""
        return self._release(lease, "anyway")

    def _release(self, lease: Lease, when: str) -> str:
        at = (lease.partition, lease.destination)
        names = [kind(*at) for kind in (keys.lease, keys.ready, keys.armed, keys.later, keys.aside)]
        return cast(bytes, self._run(scripts.RELEASE, names, [lease.token, when])).decode()

    def due(self, lease: Lease, most: int) -> list[str]:
        """Lines with something for this destination, the longest waiting first."""
        name = keys.ready(lease.partition, lease.destination)
        found = cast(list[bytes], self._client.zrange(name, 0, most - 1))
        return [line.decode() for line in found]

    def idle(self, lease: Lease, line: str) -> bool:
        """Take the line off the ready list, unless it has something after all; False when the lease was lost."""
        names = [
            keys.lease(lease.partition, lease.destination),
            keys.log(lease.partition, line),
            keys.ready(lease.partition, lease.destination),
        ]
        return self._run(scripts.IDLE, names, [lease.token, lease.destination, line]) != -1

    def pending(self, lease: Lease, line: str, most: int) -> Read:
        """What an earlier owner, or an earlier failure, left unfinished. Oldest first."""
        read = self._read(lease, line, "0", most)
        if not read.entries:
            return read
        name = keys.left(lease.partition, line, lease.destination)
        left = cast(list[bytes | None], self._client.hmget(name, [entry.id for entry in read.entries]))
        entries = tuple(
            entry if numbers is None else msgspec.structs.replace(entry, left=frozenset(map(int, numbers.split(b","))))
            for entry, numbers in zip(read.entries, left, strict=True)
        )
        return Read(entries, read.deaths)

    def fresh(self, lease: Lease, line: str, most: int) -> Read:
        return self._read(lease, line, ">", most)

    def _read(self, lease: Lease, line: str, after: str, most: int) -> Read:
        at = (lease.partition, lease.destination)
        names = [keys.lease(*at), keys.log(lease.partition, line), keys.hand(*at)]
        arguments: list[str | bytes | int] = [lease.token, lease.destination, keys.CONSUMER, after, most, line]
        answer = cast(Any, self._run(scripts.READ, names, arguments))
        if not answer:
            return Read()
        deaths, streams = answer
        return Read(tuple(_entry(entry_id, fields) for entry_id, fields in streams[0][1]), int(deaths))

    def lanes(self, lease: Lease, *, most_lanes: int, most: int) -> Taken:
        """The first messages of the retry lanes that are due."""
        at = (lease.partition, lease.destination)
        names = [keys.lease(*at), keys.aside(*at), keys.hand(*at)]
        answer = cast(Any, self._run(scripts.LANES, names, [lease.token, keys.lane_of(*at, ""), most_lanes, most]))
        if not answer:
            return Taken()
        parcels = [
            parcel_of(lease.partition, lane.decode(), record)
            for lane, records in zip(answer[1::2], answer[2::2], strict=True)
            for record in records
        ]
        return Taken(tuple(parcels), int(answer[0]))

    def occupied(self, lease: Lease, lanes: list[str]) -> set[str]:
        """Those of the retry lanes that hold messages."""
        name = keys.aside(lease.partition, lease.destination)
        found = self._client.zmscore(name, lanes)
        return {lane for lane, due in zip(lanes, found, strict=True) if due is not None}

    def hold(self, lease: Lease, line: str, message: str) -> int:
        """Write down that this message alone is about to be tried; how often it has been, or -1: the lease is lost."""
        at = (lease.partition, lease.destination)
        return int(cast(int, self._run(scripts.HOLD, [keys.lease(*at), keys.hand(*at)], [lease.token, line, message])))

    def commit(self, lease: Lease, line: str, settlement: Settlement) -> Lease | None:
        """Write the settlement down; the lease as it is now, or None when it was lost, and then nothing happened."""
        at = (lease.partition, lease.destination)
        names = [
            keys.lease(*at),
            keys.log(lease.partition, line),
            keys.left(lease.partition, line, lease.destination),
            keys.ready(*at),
            keys.dead(*at),
            keys.aside(*at),
            keys.apart(*at),
            keys.row(*at),
            keys.hand(*at),
            keys.story(lease.partition),
        ]
        first: list[str | bytes | int] = [lease.token, self._lease_ms, lease.destination, line, keys.lane_of(*at, "")]
        arguments = [*first, *commit_arguments(lease.partition, lease.destination, settlement)]
        aside = int(cast(int, self._run(scripts.COMMIT, names, arguments)))
        return None if aside < 0 else msgspec.structs.replace(lease, aside=aside, row=settlement.verdict.row)

    def arrived(self, destination: str, source: str, sent_ms: int) -> None:
        """A canary has come through."""
        self._client.hset(keys.canary(destination), source, sent_ms)

    def attach(self, partition: int, source: str, destinations: Sequence[str]) -> None:
        self._call(tending.attach_call(partition, source, destinations))

    def sweep(self, partition: int, destinations: Sequence[str], *, again_ms: int, armed_ms: int) -> list[str]:
        """The destinations of a partition that have work, no owner and no recent nudge; they count as nudged."""
        found = self._call(tending.sweep_call(partition, destinations, self._lease_ms, again_ms, armed_ms))
        live, others = cast("tuple[list[int], list[int]]", found)
        return [destinations[position - 1] for position in sorted([*live, *others])]

    def rouse(self, partition: int, source: str, destinations: Sequence[str]) -> int:
        """Mark the source ready for those of the destinations that have something to do there; how many were new."""
        return int(cast(int, self._call(tending.rouse_call(partition, source, destinations))))

    def disown(self, partition: int, destinations: Sequence[str], owner: str) -> int:
        """Free the leases in this partition that a dead worker holds."""
        return int(cast(int, self._call(tending.disown_call(partition, destinations, owner))))

    def trim(self, partition: int, source: str, destinations: Sequence[str]) -> int:
        """Drop what every group has finished with; -1 when one of `destinations` has no group yet."""
        return int(cast(int, self._call(tending.trim_call(partition, source, destinations))))

    def _call(self, call: Call) -> object:
        return self._run(call.script, call.names, call.arguments)

    def _run(self, script: Script, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> object:
        try:
            return self._client.evalsha(script.sha, len(names), *names, *arguments)
        except redis.exceptions.NoScriptError:
            return self._client.eval(script.text, len(names), *names, *arguments)


def _entry(entry_id: bytes, fields: list[bytes] | None) -> Entry:
    """An entry that was trimmed while pending comes back without fields: it has no messages left. Nor has a canary."""
    found = dict(zip(fields[::2], fields[1::2], strict=True)) if fields else {}
    stored = found.get(b"m")
    return Entry(
        entry_id.decode(),
        stored.split(b"\n") if stored else [],
        canary=int(found.get(b"c", 0)),
        origin=found.get(b"l", b"").decode(),
        origins=tuple(found.get(b"o", b"").decode().split()),
    )


def commit_arguments(partition: int, destination: str, settlement: Settlement) -> Iterator[str | bytes | int]:
    """What of a settlement the commit script is told: first two numbers, then lists, each after its length."""
    yield settlement.verdict.row
    yield int(settlement.suspected)
    yield len(settlement.finished)
    yield from settlement.finished
    yield len(settlement.unfinished)
    for entry_id, numbers in settlement.unfinished:
        yield from (entry_id, ",".join(map(str, numbers)))
    yield len(settlement.counts)
    for account, ended, number in settlement.counts:
        yield from (keys.count(partition, account), f"{ended}:{destination}", number)
    yield len(settlement.asides)
    for aside in settlement.asides:
        yield from (aside.lane, aside.wait_ms, aside.put)
    yield len(settlement.rests)
    for rest in settlement.rests:
        yield from (rest.lane, rest.taken, rest.wait_ms, len(rest.puts))
        yield from rest.puts
    for texts in (settlement.letters, settlement.passages):
        yield len(texts)
        yield from texts
