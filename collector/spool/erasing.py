"""Take a person out of the spool files of a data directory, whichever collectors are writing them."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from collector.log_port import Refusal
from collector.spool.status import DIRECTORY
from destinations.sql.wiping import wipe_file
from worker.forgetting.person import Mention, Person
from worker.refusals.erasing import owns

AT_ONCE = 1_000

_refusal = msgspec.json.Decoder(Refusal).decode


def erase(data: Path, person: Person) -> tuple[int, Sequence[str]]:
    """How many messages, and what may be left."""
    gone, left = 0, []
    for path in sorted((data / DIRECTORY).glob("*.db")):
        try:
            gone += _erase(path, person)
            left.append(wipe_file(str(path)))
        except sqlite3.Error as error:
            if path.exists():  # one that was just emptied is removed
                left.append(f"{path} cannot be emptied of messages: {error}")
    return gone, [trouble for trouble in left if trouble]


def _erase(path: Path, person: Person) -> int:
    gone, after, mention = 0, 0, Mention(person)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10.0)) as database:
        while True:
            asked = "SELECT id, message_id, body FROM record WHERE id > ? ORDER BY id LIMIT ?"
            rows = database.execute(asked, (after, AT_ONCE)).fetchall()
            if not rows:
                return gone
            after = rows[-1][0]
            gone += _drop(database, [row[0] for row in rows if _owns(person, mention, row[1], row[2])])


def _owns(person: Person, mention: Mention, message_id: str | None, body: bytes) -> bool:
    if message_id is not None:
        return person.owns(body)
    refusal = _refusal(body)
    return owns(person, mention, refusal.kind, refusal.raw)


def _drop(database: sqlite3.Connection, numbers: Sequence[int]) -> int:
    if not numbers:
        return 0
    database.execute("BEGIN IMMEDIATE")
    database.executemany("DELETE FROM record WHERE id = ?", [(number,) for number in numbers])
    whole = "SELECT count(*), coalesce(sum(length(body)), 0) FROM record"
    database.execute("UPDATE account SET messages = ?, bytes = ?", database.execute(whole).fetchone())
    database.execute("COMMIT")
    return len(numbers)
