"""The log as its readers see it: leases, entries, commits. One blocking client, one script a step."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis

from worker import keys, scripts
from worker.appending import attach_call
from worker.scripts import Script
from worker.settle import Settlement


class Entry(msgspec.Struct, frozen=True):
    """One stream entry: its messages, and the numbers of those not finished yet (None: all)."""

    id: str
    lines: list[bytes]
    left: frozenset[int] | None = None

    def unfinished(self) -> list[int]:
        return [n for n in range(len(self.lines)) if self.left is None or n in self.left]


class Lease(msgspec.Struct, frozen=True):
    """The right to deliver to one destination from one partition, until somebody takes a newer one."""

    partition: int
    destination: str
    token: str
    attempts: int


class Held(msgspec.Struct, frozen=True):
    """Somebody else has the lease."""


class Paused(msgspec.Struct, frozen=True):
    """The destination is backing off."""


class Log:
    """Reads and commits for one process. Raises redis.RedisError when the server does not play along."""

    def __init__(self, client: "redis.Redis", *, lease_ms: int) -> None:
        self._client = client
        self._lease_ms = lease_ms

    def acquire(self, partition: int, destination: str, owner: str) -> Lease | Held | Paused:
        at = (partition, destination)
        names = [keys.lease(*at), keys.fence(*at), keys.armed(*at), keys.backoff(*at)]
        match cast(list[bytes], self._run(scripts.ACQUIRE, names, [owner, self._lease_ms])):
            case [b"held"]:
                return Held()
            case [b"paused"]:
                return Paused()
            case [token, attempts]:
                return Lease(partition, destination, token.decode(), int(attempts))
            case other:
                raise TypeError(f"acquire answered {other!r}")

    def renew(self, lease: Lease) -> bool:
        name = keys.lease(lease.partition, lease.destination)
        return bool(self._run(scripts.RENEW, [name], [lease.token, self._lease_ms]))

    def release(self, lease: Lease) -> str:
        """Give the lease back if nothing is due: 'idle', or 'kept' (work is due, go on), or 'lost'."""
        return self._release(lease, "")

    def release_anyway(self, lease: Lease) -> str:
        """Give the lease back in any case: 'idle', 'more' (work is due), or 'lost'."""
        return self._release(lease, "force")

    def _release(self, lease: Lease, force: str) -> str:
        at = (lease.partition, lease.destination)
        names = [keys.lease(*at), keys.ready(*at), keys.armed(*at), keys.backoff(*at)]
        return cast(bytes, self._run(scripts.RELEASE, names, [lease.token, force])).decode()

    def due(self, lease: Lease, most: int) -> list[str]:
        """Sources with something for this destination, the longest waiting first."""
        name = keys.ready(lease.partition, lease.destination)
        found = cast(list[bytes], self._client.zrange(name, 0, most - 1))
        return [source.decode() for source in found]

    def idle(self, lease: Lease, source: str) -> bool:
        """Take the source off the ready list, unless it has something after all; False when the lease was lost."""
        names = [
            keys.lease(lease.partition, lease.destination),
            keys.log(lease.partition, source),
            keys.ready(lease.partition, lease.destination),
        ]
        return self._run(scripts.IDLE, names, [lease.token, lease.destination, source]) != -1

    def pending(self, lease: Lease, source: str, most: int) -> list[Entry]:
        """What an earlier owner, or an earlier failure, left unfinished. Oldest first."""
        entries = self._read(lease, source, "0", most)
        if not entries:
            return []
        name = keys.left(lease.partition, source, lease.destination)
        left = cast(list[bytes | None], self._client.hmget(name, [entry.id for entry in entries]))
        return [
            entry if numbers is None else Entry(entry.id, entry.lines, frozenset(map(int, numbers.split(b","))))
            for entry, numbers in zip(entries, left, strict=True)
        ]

    def fresh(self, lease: Lease, source: str, most: int) -> list[Entry]:
        return self._read(lease, source, ">", most)

    def _read(self, lease: Lease, source: str, after: str, most: int) -> list[Entry]:
        names = [keys.lease(lease.partition, lease.destination), keys.log(lease.partition, source)]
        answer = cast(Any, self._run(scripts.READ, names, [lease.token, lease.destination, keys.CONSUMER, after, most]))
        if not answer:
            return []
        # An entry that was trimmed while pending comes back without fields: it has no messages left.
        return [
            Entry(entry_id.decode(), fields[fields.index(b"m") + 1].split(b"\n") if fields else [])
            for entry_id, fields in answer[0][1]
        ]

    def commit(self, lease: Lease, source: str, settlement: Settlement) -> bool:
        """Write the settlement down; False when the lease was lost, and then nothing happened."""
        at = (lease.partition, lease.destination)
        names = [
            keys.lease(*at),
            keys.log(lease.partition, source),
            keys.backoff(*at),
            keys.count(lease.partition, source),
            keys.left(lease.partition, source, lease.destination),
            keys.dead(*at),
            keys.ready(*at),
        ]
        arguments: list[str | bytes | int] = [
            lease.token,
            self._lease_ms,
            lease.destination,
            source,
            settlement.delivered,
            settlement.filtered,
            settlement.pause_ms,
            settlement.attempts,
            settlement.reason,
            len(settlement.finished),
            *settlement.finished,
            len(settlement.unfinished),
        ]
        for entry_id, numbers in settlement.unfinished:
            arguments += [entry_id, ",".join(map(str, numbers))]
        arguments += settlement.letters
        return bool(self._run(scripts.COMMIT, names, arguments))

    def attach(self, partition: int, source: str, destinations: Sequence[str]) -> None:
        self._run(scripts.ATTACH, *attach_call(partition, source, destinations))

    def sweep(self, partition: int, destinations: Sequence[str], *, again_ms: int, armed_ms: int) -> list[str]:
        """The destinations of a partition that have work, no owner and no recent nudge; they count as nudged."""
        names = []
        for destination in destinations:
            at = (partition, destination)
            names += [keys.lease(*at), keys.ready(*at), keys.armed(*at), keys.backoff(*at)]
        found = cast(list[int], self._run(scripts.SWEEP, names, [self._lease_ms, again_ms, armed_ms]))
        return [destinations[int(position) - 1] for position in found]

    def rouse(self, partition: int, source: str, destinations: Sequence[str]) -> int:
        """Mark the source ready for those of the destinations that have something to do there; how many were new."""
        names = [keys.log(partition, source), *(keys.ready(partition, name) for name in destinations)]
        return int(cast(int, self._run(scripts.ROUSE, names, [source, *destinations])))

    def disown(self, partition: int, destinations: Sequence[str], owner: str) -> int:
        """Free the leases in this partition that a dead worker holds."""
        names = []
        for destination in destinations:
            names += [keys.lease(partition, destination), keys.armed(partition, destination)]
        return int(cast(int, self._run(scripts.DISOWN, names, [owner])))

    def trim(self, partition: int, source: str, destinations: Sequence[str]) -> int:
        """Drop what every group has finished with; -1 when one of `destinations` has no group yet."""
        names = [keys.log(partition, source), *(keys.detached(partition, name) for name in destinations)]
        return int(cast(int, self._run(scripts.TRIM, names, [source, *destinations])))

    def _run(self, script: Script, names: Sequence[str], arguments: Sequence[str | bytes | int]) -> object:
        try:
            return self._client.evalsha(script.sha, len(names), *names, *arguments)
        except redis.exceptions.NoScriptError:
            return self._client.eval(script.text, len(names), *names, *arguments)
