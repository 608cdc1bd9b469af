"""Open a database by its url, read from it and write to it: SQLite in a file of ours, or PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import InterfaceError as Disconnected
from sqlalchemy.exc import TimeoutError as NoneFree

from destinations.sql.errors import DatabaseAway, TooNew
from destinations.sql.migrate import History, bring_up_to_date
from destinations.sql.url import DatabaseUrl

Database = Engine
"""What `opened` gives, for those who hand it on and know nothing of SQLAlchemy."""

Session = Connection
"""What `reading` gives, for the same."""

BUSY_SECONDS = 10.0
CONNECT_SECONDS = 5
CACHE_KIB = 65_536
"""What SQLite may keep of a file in memory, for each connection: random pages of a large index are read again else."""
_OURS = (IntegrityError, ProgrammingError, DataError)
"""Mistakes of the program, not trouble with the database."""
_TROUBLES = (DatabaseError, Disconnected, NoneFree, OSError)


def opened(url: DatabaseUrl, history: History) -> Engine:
    """The database there, with the tables of this version. Raises DatabaseAway.

    To be opened in the process that uses it: connections do not survive a fork.
    """
    engine = _made(url)
    try:
        with told(repr(url)):
            bring_up_to_date(engine, history)
    except DatabaseAway:
        engine.dispose()
        raise
    return engine


def tried(url: DatabaseUrl) -> None:
    """Connect, and change nothing. Raises DatabaseAway."""
    with told(repr(url)):
        found = _url(url)
    if found.get_backend_name() == "sqlite" and not Path(found.database or "").exists():
        return
    engine = _made(url)
    try:
        with told(repr(url)), engine.connect() as connection:
            connection.execution_options(turnout_reads=True).exec_driver_sql("SELECT 1")
    finally:
        engine.dispose()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to look with: it sees one state of everything, and keeps nobody from writing."""
    with told(_shown(engine)), engine.connect() as connection:
        yield connection.execution_options(turnout_reads=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction: all of it or nothing. In SQLite one at a time, from its beginning."""
    with told(_shown(engine)), engine.begin() as connection:
        yield connection


@contextmanager
def told(place: str) -> Iterator[None]:
    """Trouble with the database as one DatabaseAway that names the place and the reason, without secrets."""
    try:
        yield
    except _OURS:
        raise
    except ArgumentError as error:
        raise DatabaseAway(place, "its url cannot be read") from error
    except ModuleNotFoundError as error:
        _raise_missing(place, error)
    except TooNew as error:
        raise DatabaseAway(place, str(error)) from error
    except _TROUBLES as error:
        raise DatabaseAway(place, _reason(error)) from error


def _raise_missing(place: str, error: ModuleNotFoundError) -> NoReturn:
    if error.name != "psycopg":
        raise error
    raise DatabaseAway(place, 'its driver is not installed: pip install "turnout[postgres]"') from error


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]


def _shown(engine: Engine) -> str:
    return str(engine.url.set(username=None, password=None, query={}))


def _made(url: DatabaseUrl) -> Engine:
    with told(repr(url)):
        found = _url(url)
        return _sqlite(found) if found.get_backend_name() == "sqlite" else _postgresql(found)


def _url(url: DatabaseUrl) -> URL:
    """As SQLAlchemy spells it."""
    if url.file is not None:
        return URL.create("sqlite", database=url.file)
    found = make_url(str(url))
    return found.set(drivername="postgresql+psycopg") if found.get_backend_name() == "postgresql" else found


def _sqlite(url: URL) -> Engine:
    _own_file(Path(url.database or ""))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _own_file(file: Path) -> None:
    """Made beforehand, because personal data lies in it: only our user may read it, and its journals follow suit."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up_sqlite(connection: Any, _: object) -> None:
    # Transactions begin where SQLAlchemy says so, not where the driver guesses.
    connection.isolation_level = None
    for pragma in ("synchronous = FULL", "foreign_keys = ON", f"cache_size = {-CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that reads first and then writes would fail at once, however patient, if another wrote between."""
    reads = connection.get_execution_options().get("turnout_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=4,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "turnout"},
    )
