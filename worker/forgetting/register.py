"""Who is forgotten: kept in the database, and told to the log, where collectors and workers look."""

import secrets
import time
from collections.abc import Iterable

import redis
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from destinations.sql.engine import reading, writing
from worker import keys
from worker.database.forgetting_tables import FORGOTTEN, FORGOTTEN_STATE
from worker.forgetting.memory import FOR_EVER, digest_of

ONLY = 1
"""The id of the one row of the state."""


def key_of(engine: Engine) -> bytes:
    """The secret of all digests, made when it is first asked for. Raises DatabaseAway."""
    with writing(engine) as connection:
        found = connection.execute(select(FORGOTTEN_STATE.c.key)).scalar()
        if found is None:
            found = secrets.token_hex(32)
            connection.execute(insert(FORGOTTEN_STATE).values(id=ONLY, key=found, state=0))
    return bytes.fromhex(found)


def note(engine: Engine, key: bytes, user: str, ids: Iterable[str], *, until: str) -> None:
    """What these ids send is forgotten up to then; whoever is suppressed already stays so. Raises DatabaseAway."""
    subject, now = digest_of(key, user).hex(), int(time.time() * 1000)
    with writing(engine) as connection:
        for digest in sorted(digest_of(key, each).hex() for each in {user, *ids}):
            known = connection.execute(select(FORGOTTEN.c.until).where(FORGOTTEN.c.digest == digest)).scalar()
            if known == FOR_EVER:
                continue
            connection.execute(delete(FORGOTTEN).where(FORGOTTEN.c.digest == digest))
            row = {"digest": digest, "subject": subject, "until": until, "since_ms": now}
            connection.execute(insert(FORGOTTEN).values(row))
        _rise(connection)


def release(engine: Engine, key: bytes, user: str, *, until: str) -> int:
    """Take what this user sends from now on; how many ids that are. What came before stays forgotten."""
    subject = digest_of(key, user).hex()
    mine = (FORGOTTEN.c.subject == subject) | (FORGOTTEN.c.digest == subject)
    with writing(engine) as connection:
        changed = connection.execute(update(FORGOTTEN).where(mine, FORGOTTEN.c.until == FOR_EVER).values(until=until))
        _rise(connection)
    return changed.rowcount


def suppressed(engine: Engine, *, most: int, after: str = "") -> list[tuple[str, int]]:
    """The digests of the users that are suppressed, and since when, by digest."""
    own = FORGOTTEN.c.digest == FORGOTTEN.c.subject
    asked = select(FORGOTTEN.c.digest, FORGOTTEN.c.since_ms).where(
        own, FORGOTTEN.c.until == FOR_EVER, FORGOTTEN.c.digest > after
    )
    with reading(engine) as connection:
        rows = connection.execute(asked.order_by(FORGOTTEN.c.digest).limit(most)).all()
    return [(row.digest, row.since_ms) for row in rows]


def publish(client: "redis.Redis", engine: Engine, *, partitions: int) -> None:
    """Tell the log what holds now. Raises redis.RedisError, DatabaseAway."""
    with reading(engine) as connection:
        held = connection.execute(select(FORGOTTEN_STATE.c.key, FORGOTTEN_STATE.c.state)).first()
        rows = connection.execute(select(FORGOTTEN.c.digest, FORGOTTEN.c.until)).all()
    if held is None or not rows:
        return
    pipe = client.pipeline(transaction=True)
    pipe.delete(keys.FORGOTTEN)
    pipe.set(keys.FORGOTTEN_KEY, bytes.fromhex(held.key))
    for start in range(0, len(rows), 1_000):
        some = {bytes.fromhex(row.digest): row.until for row in rows[start : start + 1_000]}
        pipe.hset(keys.FORGOTTEN, mapping=some)  # type: ignore[arg-type]  # digests are no text
    pipe.set(keys.FORGOTTEN_STATE, held.state)
    pipe.execute()
    # Last: whoever takes a lease after this finds what was written above.
    for partition in range(partitions):
        client.set(keys.forgotten(partition), held.state)


def keep_published(client: "redis.Redis", engine: Engine, *, partitions: int) -> None:
    """A duty: the log may have lost what it was told."""
    with reading(engine) as connection:
        state = connection.execute(select(FORGOTTEN_STATE.c.state)).scalar()
        some = connection.execute(select(func.count()).select_from(FORGOTTEN)).scalar()
    if not some:
        return
    names = [keys.FORGOTTEN_STATE, *(keys.forgotten(partition) for partition in range(partitions))]
    told = client.mget(names)
    if any(each is None or int(each) < int(state or 0) for each in told):
        publish(client, engine, partitions=partitions)


def _rise(connection: Connection) -> None:
    connection.execute(update(FORGOTTEN_STATE).values(state=FORGOTTEN_STATE.c.state + 1))
