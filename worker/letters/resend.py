"""Send dead letters again: claimed in the database, appended to the retry line, marked; each once.

Each goes with the line and the position that it died in: what becomes of it is told there, as of its first journey.
Only one whose user was changed, and belongs to another partition now, is as good as new in the retry line.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import cast

import msgspec
import redis
from sqlalchemy import Connection, Engine, and_, or_, select, tuple_, update

from destinations.sql.engine import reading, writing
from schemas.message import decode_head, identity
from worker import keys, scripts
from worker.appending import PACK_BYTES, PACK_MESSAGES
from worker.database.tables import DEAD_LETTERS as T
from worker.letters.desk import AT_ONCE, Wanted, in_order
from worker.letters.record import UNREADABLE
from worker.lines import RETRY, Line, line_of

LEFT_BEHIND_MS = 60_000
"""After so long, whoever claimed a letter and has not marked it is taken to have died."""
TOKEN_MS = 3_600_000
"""For so long at least it is known that a letter was sent again."""

Routes = Mapping[str, Collection[str]]
"""The destinations of each source."""


class Claim(msgspec.Struct, frozen=True):
    """A letter that is in our hands."""

    id: int
    retry: int
    source: str
    destination: str
    partition: int
    line: str
    position: str
    body: bytes

    @property
    def token(self) -> str:
        return f"{self.id}:{self.retry}"

    def way_back(self) -> Line:
        """A replay's message belongs to the accounts of its replay; all others take the retry line."""
        died_in = line_of(self.line)
        return died_in if died_in.replay else Line(self.source, RETRY, self.destination)


def sendable(engine: Engine, wanted: Wanted, routes: Routes) -> list[int]:
    """Numbers of the letters that can be sent again, in the order of their messages.

    Not those of a destination that their source no longer goes to: they would wait for ever.
    """
    here = [and_(T.c.source == source, T.c.destination.in_(names)) for source, names in routes.items()]
    with reading(engine) as connection:
        found = in_order(connection, wanted)
        usable = select(T.c.id).where(or_(*here), T.c.state.in_(("dead", "discarded")), T.c.code != UNREADABLE)
        allowed = frozenset(connection.execute(usable).scalars())
    return [number for number in found if number in allowed]


def resend(
    client: "redis.Redis",
    engine: Engine,
    numbers: Sequence[int],
    *,
    partitions: int,
    sent: Callable[[int], None] = lambda _: None,
) -> int:
    """Send these letters again; how many of them this call has claimed. `sent` hears of every step.

    Raises redis.RedisError or DatabaseAway; what was claimed until then is sent by `finish`.
    """
    claimed = 0
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        with writing(engine) as connection:
            claims = _claim(connection, part)
        _deliver(client, engine, claims, partitions)
        claimed += len(claims)
        sent(len(part))
    return claimed


def finish(client: "redis.Redis", engine: Engine, *, partitions: int, now_ms: int | None = None) -> int:
    """Send what somebody claimed and did not mark before he died; how many letters."""
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    left = [T.c.state == "retrying", T.c.state_at <= now_ms - LEFT_BEHIND_MS]
    finished = 0
    while True:
        with reading(engine) as connection:
            rows = connection.execute(select(*_CLAIM).where(*left).order_by(T.c.received_at, T.c.id).limit(AT_ONCE))
            claims = [Claim(*row) for row in rows]
        _deliver(client, engine, claims, partitions)
        finished += len(claims)
        if len(claims) < AT_ONCE:
            return finished


def forget_tokens(client: "redis.Redis", engine: Engine, *, partitions: int) -> None:
    """Forget old tokens, but only while nobody has a letter in his hands that may have been sent."""
    with reading(engine) as connection:
        if connection.execute(select(T.c.id).where(T.c.state == "retrying").limit(1)).first():
            return
    for partition in range(partitions):
        seconds, _ = client.time()
        client.zremrangebyscore(keys.resent(partition), "-inf", seconds * 1000 - TOKEN_MS)


_CLAIM = (T.c.id, T.c.retries, T.c.source, T.c.destination, T.c.partition, T.c.line, T.c.position, T.c.body)


_NEW = ("", "")
"""The origin of what has none."""


def partition_now(source: str, body: bytes, partitions: int) -> int:
    """Where a letter's message belongs: that of its user, which may have been changed."""
    return keys.partition_of(source, identity(decode_head(body)), partitions)


def _claim(connection: Connection, numbers: Sequence[int]) -> list[Claim]:
    """Those of the letters that nobody else has taken meanwhile, in the order asked for."""
    free = [T.c.id.in_(numbers), T.c.state.in_(("dead", "discarded"))]
    values = {"state": "retrying", "state_at": int(time.time() * 1000), "retries": T.c.retries + 1}
    rows = connection.execute(update(T).where(*free).values(values).returning(*_CLAIM)).all()
    place = {number: index for index, number in enumerate(numbers)}
    return sorted((Claim(*row) for row in rows), key=lambda claim: place[claim.id])


def _deliver(client: "redis.Redis", engine: Engine, claims: Sequence[Claim], partitions: int) -> None:
    """Append them, then mark them. It may be repeated as often as it takes."""
    for (partition, line), group in _by_line(claims, partitions):
        _append(client, partition, line, group)
    if not claims:
        return
    ours = tuple_(T.c.id, T.c.retries).in_([(claim.id, claim.retry) for claim in claims])
    with writing(engine) as connection:
        # One that has already died again is dead, whatever we know of it.
        marked = update(T).where(ours, T.c.state == "retrying")
        connection.execute(marked.values(state="retried", state_at=int(time.time() * 1000)))


def _by_line(claims: Sequence[Claim], partitions: int) -> Iterator[tuple[tuple[int, Line], list[Claim]]]:
    def place(claim: Claim) -> tuple[int, str]:
        return partition_now(claim.source, claim.body, partitions), claim.way_back().name

    placed = sorted(((place(claim), index, claim) for index, claim in enumerate(claims)), key=lambda one: one[:2])
    for (partition, name), group in groupby(placed, key=lambda one: one[0]):
        yield (partition, line_of(name)), [claim for _, _, claim in group]


def _append(client: "redis.Redis", partition: int, line: Line, claims: Sequence[Claim]) -> int:
    names = [
        keys.log(partition, line.name),
        keys.resent(partition),
        keys.lines(partition),
        keys.ready(partition, line.destination),
        keys.count(partition, line.counted_under),
    ]
    arguments: list[str | bytes | int] = [line.destination, line.name, PACK_MESSAGES, PACK_BYTES]
    for claim in claims:
        arguments += [
            claim.token,
            claim.body,
            *((claim.line, claim.position) if claim.partition == partition else _NEW),
        ]
    return int(cast(int, scripts.run(client, scripts.RESEND, names, arguments)))
