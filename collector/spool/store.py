"""One spool file: messages on this machine's disk, in the order in which they came."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from collector.log_port import Item, Refusal

PAGE = 4096
FEWEST_PAGES = 16
"""What the empty tables need, and a little more."""

SHRINK_FROM_PAGES = 1024
"""An emptied file that is larger gives its room back."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    source TEXT NOT NULL,
    user TEXT,
    message_id TEXT,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS account (messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS trial (body BLOB NOT NULL);
INSERT INTO account SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM account);
"""

Put = tuple[Sequence[Item], Sequence[Refusal]]


class SpoolFull(Exception):
    """The file has reached the size that it may have."""


class Record(msgspec.Struct, frozen=True):
    """One accepted message, or one refusal: then without user and message id, and with its JSON as body."""

    id: int
    source: str
    user: str | None
    message_id: str | None
    body: bytes

    def item(self) -> Item | None:
        if self.user is None or self.message_id is None:
            return None
        return Item(source=self.source, message_id=self.message_id, user=self.user, body=self.body)


class Account(msgspec.Struct, frozen=True):
    """What a spool file holds."""

    messages: int
    bytes: int
    since: float | None


class Store:
    """An open spool file. Every method may raise sqlite3.Error or OSError: nothing has been done then."""

    def __init__(self, path: Path, *, most_bytes: int) -> None:
        # Its companions get the mode of the file itself, so it must be there before SQLite opens it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.path = path
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            self._prepare(max(FEWEST_PAGES, most_bytes // PAGE))
        except BaseException:
            self._database.close()
            raise

    def _prepare(self, pages: int) -> None:
        ask = self._database.execute
        ask(f"PRAGMA page_size = {PAGE}")
        ask("PRAGMA journal_mode = WAL")
        ask("PRAGMA synchronous = FULL")  # what is answered with 200 survives a power cut
        ask(f"PRAGMA max_page_count = {pages}")
        ask("PRAGMA journal_size_limit = 4194304")
        ask("PRAGMA secure_delete = ON")  # what is in the log, and perhaps forgotten there, is not here any more
        if not ask("SELECT 1 FROM sqlite_master WHERE name = 'account'").fetchone():
            self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def close(self) -> None:
        self._database.close()

    def remove(self) -> None:
        """Close it, and delete the file with its companions. Only whoever holds the slot may."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def account(self) -> Account:
        return account_of(self._database)

    def last(self) -> int:
        """The id of the newest record; 0 if there is none. Ids only grow."""
        return int(self._database.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()[0])

    def add(self, puts: Sequence[Put], at: float) -> None:
        """Store all in one transaction: on disk when this returns. Raises SpoolFull."""
        rows = [row for items, refusals in puts for row in _rows(items, refusals, at)]
        size = sum([len(row[4]) for row in rows])
        with self._transaction():
            self._database.executemany("INSERT INTO record VALUES (NULL, ?, ?, ?, ?, ?)", rows)
            self._database.execute("UPDATE account SET messages = messages + ?, bytes = bytes + ?", (len(rows), size))

    def after(self, position: int, *, most_messages: int, most_bytes: int) -> list[Record]:
        """The next records behind this id, at least one if there is any."""
        found: list[Record] = []
        size = 0
        query = "SELECT id, source, user, message_id, body FROM record WHERE id > ? ORDER BY id LIMIT ?"
        with closing(self._database.execute(query, (position, most_messages))) as rows:
            for row in rows:
                found.append(Record(*row))
                size += len(row[4])
                if size >= most_bytes:
                    break
        return found

    def drop(self, records: Sequence[tuple[int, int]]) -> None:
        """Delete records, given as id and size: they are in the log."""
        size = sum(size for _, size in records)
        with self._transaction():
            self._database.executemany("DELETE FROM record WHERE id = ?", ((id_,) for id_, _ in records))
            self._database.execute(
                # Some may have been erased since they were read.
                "UPDATE account SET messages = max(0, messages - ?), bytes = max(0, bytes - ?)",
                (len(records), size),
            )

    def shrink(self) -> None:
        """Give the room of what is gone back to the disk, where it is much and nobody is looking just now."""
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        if pages > SHRINK_FROM_PAGES:
            with suppress(sqlite3.OperationalError):
                self._database.execute("VACUUM")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def try_out(self, size: int) -> None:
        """Write so many bytes and delete them again: raises as `add` would."""
        with self._transaction():
            self._database.execute("INSERT INTO trial VALUES (randomblob(?))", (size,))
        with self._transaction():
            self._database.execute("DELETE FROM trial")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except BaseException as error:
            if self._database.in_transaction:
                self._database.rollback()
            if isinstance(error, sqlite3.Error) and self._reached_its_size(error):
                raise SpoolFull from error
            raise

    def _reached_its_size(self, error: sqlite3.Error) -> bool:
        """Or the disk is full: SQLite says the same of both."""
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            return False
        used, most = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "max_page_count")
        )
        return bool(used >= most - 16)


def account_of(database: sqlite3.Connection) -> Account:
    """Asked by the one who writes the file, or by anybody who looks on."""
    messages, size = database.execute("SELECT messages, bytes FROM account").fetchone()
    first = database.execute("SELECT at FROM record ORDER BY id LIMIT 1").fetchone()
    return Account(messages, size, first[0] if first else None)


Row = tuple[float, str, str | None, str | None, bytes]


def _rows(items: Sequence[Item], refusals: Sequence[Refusal], at: float) -> Iterator[Row]:
    for item in items:
        yield at, item.source, item.user, item.message_id, item.body
    for refusal in refusals:
        yield at, refusal.source, None, None, msgspec.json.encode(refusal)
