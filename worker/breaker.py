"""Which destinations are out, known to all workers at once: who is out is tried by one of them only, now and then."""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec
import redis

from worker import keys, scripts
from worker.config import Config

LONGEST_ASKED_MS = 3_600_000
"""No destination is waited for longer because it asked to (Retry-After)."""

UNTOLD_FOR = 60.0

LASTING = ("settings", "toll", "operator")
"""Scopes that time does not end."""


class Closed(msgspec.Struct, frozen=True):
    """Nothing is known against the destination."""


class Waiting(msgspec.Struct, frozen=True):
    """Nothing may be sent now; `until_ms` is 0 when somebody has to do something first."""

    until_ms: int
    reason: str


class Probing(msgspec.Struct, frozen=True):
    """You alone may try, a little."""

    attempts: int


View = Closed | Waiting | Probing


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Why a destination is out."""

    until_ms: int
    attempts: int
    reason: str
    scope: str
    since_ms: int
    due: bool
    """Somebody may try it now."""

    @property
    def lasting(self) -> bool:
        """It stays out until the settings change or a person resumes it."""
        return self.scope in LASTING


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored, as numbers and words."""

    until_ms: int
    attempts: int
    reason: str
    scope: str
    since_ms: int
    told_ms: int
    """When `until_ms` was set."""
    settings: tuple[str, ...]
    probing_ms: int


class Limits(msgspec.Struct, frozen=True):
    """What no stored time can honestly exceed: a clock that jumped must not keep a destination out."""

    lease_ms: int
    longest_ms: int


class Breaker:
    """One for each process. Raises redis.RedisError when the log server does not play along.

    Drains of one destination come from one thread at a time; different destinations' may come from different threads.
    """

    def __init__(
        self,
        client: "redis.Redis",
        *,
        lease_ms: int,
        settings: Mapping[str, str],
        pause_after: Mapping[str, int] | None = None,
        longest_ms: int = 600_000,
    ) -> None:
        """`settings` has a fingerprint of each destination's; `pause_after` so many deaths in ten minutes."""
        self._client = client
        self._settings = settings
        self._pause_after = pause_after or {}
        self._limits = Limits(lease_ms, longest_ms + LONGEST_ASKED_MS)
        self._probes: dict[str, int] = {}
        self._untold: dict[str, tuple[float, int]] = {}

    def look(self, destination: str) -> View:
        """Whether to send now. Takes the right to probe when it is due: one round trip more."""
        self._probes.pop(destination, None)
        found, now_ms = self._records([destination])
        record = found.get(destination)
        if record is None:
            return Closed()
        if not is_due(record, now_ms, self._settings.get(destination, ""), self._limits):
            return Waiting(max(record.until_ms, record.probing_ms), record.reason)
        arguments = [record.attempts, record.probing_ms, self._limits.lease_ms]
        if not scripts.run(self._client, scripts.PROBE, [keys.out(destination)], arguments):
            return Waiting(now_ms + self._limits.lease_ms, record.reason)
        self._probes[destination] = record.attempts
        return Probing(record.attempts)

    def failed(self, destination: str, *, attempts: int, pause_ms: int, reason: str, scope: str) -> None:
        """It is out, or still is. `attempts` is what `look` said; failures at the same time count once."""
        probed = self._probes.pop(destination, None)
        known = attempts if probed is None else probed
        probing = "" if probed is None else "probing"
        settings = self._settings.get(destination, "")
        arguments: list[str | bytes | int] = [known, probing, pause_ms, reason, scope, settings]
        scripts.run(self._client, scripts.FAIL, [keys.out(destination)], arguments)

    def succeeded(self, destination: str) -> None:
        """It works again; the next sweep wakes whatever waits for it."""
        self._probes.pop(destination, None)
        scripts.run(self._client, scripts.SUCCEED, [keys.out(destination)], [])

    def give_back(self, destination: str) -> None:
        """Let another try, when a drain had the right to probe and found nothing to try."""
        if self._probes.pop(destination, None) is not None:
            self._client.hdel(keys.out(destination), "probing")

    def deaths(self, destination: str, dead: int, others: int) -> bool:
        """Whether too many die: more than all other messages, and more than is tolerated. Then it is out."""
        others += self._untold_others(destination)
        if not dead:
            begun, _ = self._untold.get(destination, (time.monotonic(), 0))
            self._untold[destination] = (begun, others)
            return False
        self._untold.pop(destination, None)
        counted = scripts.run(self._client, scripts.TOLL, [keys.toll(destination)], [dead, others])
        died, lived = cast(list[int], counted)
        if died < self._pause_after.get(destination, 1_000) or died <= lived:
            return False
        reason = f"{died} of {died + lived} messages died within ten minutes"
        self.failed(destination, attempts=0, pause_ms=0, reason=reason, scope="toll")
        self._client.delete(keys.toll(destination))
        return True

    def _untold_others(self, destination: str) -> int:
        """Ends other than deaths in the last minute, kept here: while nothing dies, counting costs no round trip."""
        begun, others = self._untold.get(destination, (0.0, 0))
        if time.monotonic() - begun < UNTOLD_FOR:
            return others
        self._untold.pop(destination, None)
        return 0

    def pause(self, destination: str, reason: str) -> None:
        """Keep it from receiving until a person resumes it."""
        self.failed(destination, attempts=0, pause_ms=0, reason=reason, scope="operator")

    def resume(self, destination: str) -> bool:
        """Whatever stood in the way is forgotten. False when nothing did."""
        self._client.delete(keys.toll(destination))
        return bool(self._client.delete(keys.out(destination)))

    def all(self, destinations: Iterable[str]) -> dict[str, State]:
        """Those of them that are out, in one round trip."""
        found, now_ms = self._records(list(destinations))
        return {
            name: State(
                until_ms=record.until_ms,
                attempts=record.attempts,
                reason=record.reason,
                scope=record.scope,
                since_ms=record.since_ms,
                due=is_due(record, now_ms, self._settings.get(name, ""), self._limits),
            )
            for name, record in found.items()
        }

    def _records(self, destinations: Sequence[str]) -> tuple[dict[str, Record], int]:
        """What is stored of those that are out, and the server's time in ms."""
        pipe = self._client.pipeline(transaction=False)
        pipe.time()
        for name in destinations:
            pipe.hgetall(keys.out(name))
        (seconds, microseconds), *hashes = pipe.execute()
        found = {name: record_of(fields) for name, fields in zip(destinations, hashes, strict=True) if fields}
        return found, seconds * 1000 + microseconds // 1000


def record_of(fields: Mapping[bytes, bytes]) -> Record:
    return Record(
        until_ms=int(fields.get(b"until", 0)),
        attempts=int(fields.get(b"attempts", 0)),
        reason=fields.get(b"reason", b"").decode(),
        scope=fields.get(b"scope", b"destination").decode(),
        since_ms=int(fields.get(b"since", 0)),
        told_ms=int(fields.get(b"told", 0)),
        settings=tuple(fields.get(b"settings", b"").decode().split()),
        probing_ms=int(fields.get(b"probing", 0)),
    )


def is_due(record: Record, now_ms: int, settings: str, limits: Limits) -> bool:
    """Whether somebody may try the destination now. Pure."""
    if now_ms < record.probing_ms <= now_ms + limits.lease_ms or record.scope == "operator":
        return False
    if record.scope in LASTING:
        return settings not in record.settings
    # Before it was told: the clock went back, and nobody knows how long is left.
    return not record.told_ms <= now_ms < record.until_ms <= now_ms + limits.longest_ms


def fingerprints(config: Config) -> dict[str, str]:
    """By name, a few bytes that change with the settings of a destination, and tell nothing about them."""
    return {name: _fingerprint([table.type, table.settings]) for name, table in config.destinations.items()}


def _fingerprint(settings: object) -> str:
    text = msgspec.json.encode(settings, enc_hook=str, order="deterministic")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def breaker_of(client: "redis.Redis", config: Config) -> Breaker:
    """The breaker as this configuration wants it."""
    longest = max([config.policy(name).longest for name in config.destinations], default=0.0)
    return Breaker(
        client,
        lease_ms=int(config.worker.lease * 1000),
        settings=fingerprints(config),
        pause_after={name: table.pause_after for name, table in config.destinations.items()},
        longest_ms=int(longest * 1000),
    )
