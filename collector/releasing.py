"""Let go of the quarantine's hold: judge again, append what is valid now, keep what is not."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import redis

from collector.config import Config
from collector.policy import OPEN
from collector.release import Held, Judged, judged
from destinations.sql.engine import Database
from schemas.dates import stamp
from worker.refusals import desk
from worker.refusals.desk import Ending, Refusal
from worker.refusals.putting import Accepted, put
from worker.refusals.record import Record, Row, row, words_of

AT_ONCE = 200

Rewrite = Callable[[Refusal], bytes]
"""What to judge in the place of what was sent."""


class Still(msgspec.Struct, frozen=True, rename="camel"):
    """One that stays, and why."""

    id: int
    wrong: str


class Released(msgspec.Struct, frozen=True, rename="camel"):
    """What a release has done."""

    released: int
    messages: int
    """That went into the log; those that had come in before are not among them."""
    still: tuple[Still, ...]


def release(
    client: "redis.Redis",
    engine: Database,
    config: Config,
    numbers: Sequence[int],
    *,
    rewrite: Rewrite = lambda refusal: refusal.raw,
    done: Callable[[int], None] = lambda _: None,
) -> Released:
    """Raises redis.RedisError or DatabaseAway; to call it again sends nothing twice."""
    released = messages = 0
    still: list[Still] = []
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        looked = [_look(refusal, config, rewrite) for refusal in desk.held(engine, part)]
        going = [each for each in looked if each.verdict.items]
        still += [Still(each.refusal.id, _wrong(each.verdict)) for each in looked if not each.verdict.items]
        # Marked last: a crash before that leaves them held, and the log knows the messages that it has.
        messages += put(client, config, [message for each in going for message in each.messages()])
        desk.mark_released(engine, [each.ending() for each in going], now_ms=_now_ms())
        released += len(going)
        done(len(part))
    return Released(released, messages, tuple(still))


class _Looked(msgspec.Struct, frozen=True):
    refusal: Refusal
    raw: bytes
    verdict: Judged

    def messages(self) -> Iterator[Accepted]:
        for item in self.verdict.items:
            yield Accepted(item.source, item.message_id, item.user, item.body)

    def ending(self) -> Ending:
        changed = self.raw if self.raw != self.refusal.raw else None
        return Ending(self.refusal.id, changed, tuple(self._left()))

    def _left(self) -> Iterator[Row]:
        for each in self.verdict.refused:
            record = Record(
                source=self.refusal.source,
                received_at=stamp(self.refusal.received_at_ms),
                kind="message",
                path=self.refusal.path,
                raw=each.raw,
                size=len(each.raw),
                violations=each.violations,
            )
            yield row(record, _now_ms())


def _look(refusal: Refusal, config: Config, rewrite: Rewrite) -> _Looked:
    raw = rewrite(refusal)
    if refusal.source not in config.sources:
        return _Looked(refusal, raw, Judged((), ()))
    held = Held(
        digest=refusal.digest,
        source=refusal.source,
        kind=refusal.kind,
        path=refusal.path,
        raw=raw,
        size=refusal.size if raw == refusal.raw else len(raw),
        received_at_ms=refusal.received_at_ms,
        policy=config.policies.get(refusal.source, OPEN),
    )
    return _Looked(refusal, raw, judged(held, config.collector.limits))


def _wrong(verdict: Judged) -> str:
    if not verdict.refused:
        return "its source is no longer configured"
    return " ".join(words_of(each.violations) for each in verdict.refused[:3])


def _now_ms() -> int:
    return int(time.time() * 1000)
