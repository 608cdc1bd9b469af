"""Write what messages claim into the database of users and groups."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from destinations.profiles.claims import Claims
from destinations.profiles.writing import Writing
from destinations.sql.engine import Database, opened, tried, writing
from destinations.sql.migrate import History
from destinations.sql.url import DatabaseUrl

LOCK = 7_883_696_162
"""Any number will do, as long as nobody else in this PostgreSQL server uses it for an advisory lock."""

_PATIENCE = text("SET LOCAL lock_timeout = '8s'")
_ALONE = text(f"SELECT pg_advisory_xact_lock({LOCK})")
HISTORY = History(Path(__file__).with_name("migrations"), "profiles_version")


def open_profiles(url: DatabaseUrl) -> Database:
    """The database, with the tables of this version. Raises DatabaseAway.

    To be opened in the process that uses it: connections do not survive a fork.
    """
    return opened(url, HISTORY)


def try_profiles(url: DatabaseUrl) -> None:
    """Connect, and change nothing. Raises DatabaseAway."""
    tried(url)


def apply(database: Database, batch: Sequence[Claims]) -> None:
    """Take the claims in, all of them or none. Raises DatabaseAway."""
    with writing_alone(database) as connection:
        Writing(connection, batch).run()


@contextmanager
def writing_alone(database: Database) -> Iterator[Connection]:
    """A transaction during which nobody else changes users and groups, whatever the database. Raises DatabaseAway.

    SQLite lets one write at a time anyway; in PostgreSQL everybody who writes takes this lock first.
    """
    with writing(database) as connection:
        if database.dialect.name != "sqlite":
            connection.execute(_PATIENCE)
            connection.execute(_ALONE)
        yield connection
