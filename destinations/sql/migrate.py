"""Give a database the tables of this version, once, however many processes start at the same time."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, column, inspect, select, table, text

from destinations.sql.errors import TooNew

UPGRADING = "destinations.sql.upgrading"

LOCK = 7_883_696_161
"""Any number will do, as long as nobody else in this PostgreSQL server uses it for an advisory lock."""


class History(msgspec.Struct, frozen=True):
    """The migrations of one set of tables. Several may live in one database, each with its own version."""

    home: Path
    """The directory of the migrations: files called `v0001_what.py`."""
    table: str
    """Where the database remembers its version."""

    def newest(self) -> str:
        """The version that this program writes."""
        names = [re.fullmatch(r"v(\d{4})_\w+\.py", file.name) for file in self.home.iterdir()]
        return max(found[1] for found in names if found)

    def version_of(self, connection: Connection) -> str | None:
        """None before the first migration."""
        if not inspect(connection).has_table(self.table):
            return None
        found: str | None = connection.execute(select(column("version_num")).select_from(table(self.table))).scalar()
        return found


def bring_up_to_date(engine: Engine, history: History) -> None:
    """Costs one look when nothing is to be done. Raises TooNew."""
    if engine.dialect.name == "sqlite":
        with _locked(Path(f"{engine.url.database}.lock")):
            if _is_old(engine, history):
                _upgrade_file(engine, history)
    elif _is_old(engine, history):
        _upgrade_server(engine, history)


def _is_old(engine: Engine, history: History) -> bool:
    with engine.connect() as connection:
        found, known = history.version_of(connection.execution_options(turnout_reads=True)), history.newest()
    if found is not None and found > known:
        raise TooNew(found=found, known=known)
    return found != known


def _upgrade_file(engine: Engine, history: History) -> None:
    with engine.connect() as connection:
        # For good: it is written into the file. Outside of a transaction, or it is refused.
        connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        _upgrade(connection, history)


def _upgrade_server(engine: Engine, history: History) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        if history.version_of(connection) != history.newest():
            _upgrade(connection, history)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Changing the journal's mode fails at once while others look at the file: processes wait here for each other."""
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _upgrade(connection: Connection, history: History) -> None:
    # What brings tables up to date takes longer to import than to find out that nothing is to be done.
    import_module(UPGRADING).upgrade(connection, home=history.home, table=history.table)
