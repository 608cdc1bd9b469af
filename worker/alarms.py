"""What calls for somebody: told in words, decided in one place for /health/alarms and for `turnout status`."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, cast

import msgspec
import redis

from worker import beats, canary, keys, oldest
from worker.beats import Beat
from worker.canary import CanaryAge
from worker.config import AlarmSettings, Config
from worker.lines import line_of

Kind = Literal["log", "spool", "workers", "silent", "config", "out", "oldest", "canary"]

WORKER = "worker"
"""The role of the processes that deliver."""

FORGOTTEN_S = 3_600.0
"""A process on another machine that gave no sign of life for longer was taken away, not frozen."""

SLACK_S = 10.0


_FIRST = {
    "settings": "repair its settings, or ",
    "toll": "look at `turnout dead list --group`, then ",
}
"""What to do about a pause before it is lifted."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """`words` say what is the case, and what to do where that is not plain."""

    kind: Kind
    what: str
    """The process, the destination, or `source to destination`."""
    words: str
    since: float | None = None
    """For how many seconds, where that is known."""


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """A destination that gets nothing at the moment."""

    reason: str
    scope: str
    since_s: float
    until_s: float
    """Seconds until it is tried again."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the alarms are judged by."""

    beats: Sequence[Beat] = ()
    out: Mapping[str, Out] = {}
    waits: Mapping[tuple[str, str], float] = {}
    canaries: Sequence[CanaryAge] = ()


def alarms(client: "redis.Redis", config: Config) -> list[Alarm]:
    """Everything that calls for somebody now, the worst first. Raises redis.RedisError."""
    return judged(look(client, config), config.alarms)


def look(client: "redis.Redis", config: Config) -> Seen:
    """Raises redis.RedisError."""
    return Seen(
        beats=present(beats.read(client)),
        out=_out(client, config.wanted()),
        waits=_of_traffic(oldest.waits(client, config)),
        canaries=canary.ages(client, config),
    )


def _of_traffic(waits: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Without replays: they take their time."""
    return {(account, name): age for (account, name), age in waits.items() if not line_of(account).replay}


def judged(seen: Seen, settings: AlarmSettings) -> list[Alarm]:
    """Pure."""
    return [
        *_of_workers(seen.beats, settings.silence),
        *_of_configurations(seen.beats),
        *_of_destinations(seen.out),
        *_of_waits(seen, settings.oldest),
        *_of_canaries(seen, settings.canary),
    ]


def present(found: Sequence[Beat]) -> list[Beat]:
    """Without those that are known to be gone: who was killed has nobody to say so for it."""
    here = socket.gethostname()
    return [beat for beat in found if (_alive(beat.pid) if beat.host == here else beat.age < FORGOTTEN_S)]


def _of_workers(found: Sequence[Beat], silence: float) -> Iterator[Alarm]:
    if not any(beat.role == WORKER and beat.age <= silence for beat in found):
        yield Alarm(kind="workers", what=WORKER, words="no worker is alive: nothing is delivered")
    for beat in beats.silent(found, silence):
        words = f"the {beat.role} with process id {beat.pid} on {beat.host} has been silent for {beat.age:.0f} s"
        yield Alarm(kind="silent", what=beat.name, words=words, since=beat.age)


def _of_configurations(found: Sequence[Beat]) -> Iterator[Alarm]:
    for beat in found:
        if beat.note:
            yield Alarm(kind="config", what=beat.name, words=f"{beat.role} on {beat.host}: {beat.note}")


def _of_destinations(out: Mapping[str, Out]) -> Iterator[Alarm]:
    for name, one in sorted(out.items()):
        if one.scope in ("destination", "message", ""):
            again = f"in {one.until_s:.0f} s" if one.until_s >= 1 else "now"
            words = f"{name} is out: {one.reason}; tried again {again}"
        else:
            first = _FIRST.get(one.scope, "")
            words = f"{name} is paused ({one.scope}): {one.reason}; {first}`turnout resume {name}` goes on"
        yield Alarm(kind="out", what=name, words=words, since=one.since_s)


def _of_waits(seen: Seen, longest: float) -> Iterator[Alarm]:
    for (source, name), age in sorted(seen.waits.items()):
        if age > longest:
            words = f"the oldest message of {source} that waits for {name} has waited for {age:.0f} s"
            yield Alarm(kind="oldest", what=f"{source} to {name}", words=words, since=age)


def _of_canaries(seen: Seen, every: float) -> Iterator[Alarm]:
    """A destination that is out says so itself, and gets no canaries."""
    late = 2 * every + SLACK_S
    unsent = [one.sent_s for one in seen.canaries]
    if unsent and min(unsent) > late:
        words = f"no canary was sent for {min(unsent):.0f} s: nobody looks after the log"
        yield Alarm(kind="canary", what="clerk", words=words, since=min(unsent))
    for one in seen.canaries:
        if one.age_s > late and one.destination not in seen.out:
            words = f"a canary of {one.source} has not reached {one.destination} for {one.age_s:.0f} s"
            what = f"{one.source} to {one.destination}"
            yield Alarm(kind="canary", what=what, words=f"{words}: deliveries there stand still", since=one.age_s)


def _out(client: "redis.Redis", destinations: Sequence[str]) -> dict[str, Out]:
    pipe = client.pipeline(transaction=False)
    for name in destinations:
        pipe.hgetall(keys.out(name))
    seconds, microseconds = client.time()
    now = seconds + microseconds / 1e6
    answers = cast(list[dict[bytes, bytes]], pipe.execute())
    return {name: _out_of(fields, now) for name, fields in zip(destinations, answers, strict=True) if fields}


def _out_of(fields: Mapping[bytes, bytes], now: float) -> Out:
    return Out(
        reason=fields.get(b"reason", b"").decode(),
        scope=fields.get(b"scope", b"").decode(),
        since_s=max(0.0, now - int(fields.get(b"since", 0)) / 1000),
        until_s=int(fields.get(b"until", 0)) / 1000 - now,
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, but there
    return True
