"""Give the database the tables of this version, once, however many processes start at the same time."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

HOME = Path(__file__).with_name("migrations")
VERSIONS = HOME / "versions"
LOCK = 7_883_696_161
"""Any number will do, as long as nobody else in this PostgreSQL server uses it for an advisory lock."""


def bring_up_to_date(engine: Engine) -> None:
    """Costs one look when nothing is to be done."""
    if engine.dialect.name == "sqlite":
        with _locked(Path(f"{engine.url.database}.lock")):
            _upgrade_file(engine)
    elif _version(engine) != newest_version():
        _upgrade_server(engine)


def newest_version() -> str:
    """The version that this program writes: migrations are files called `v0001_what.py`."""
    numbers = [found[1] for file in VERSIONS.iterdir() if (found := re.fullmatch(r"v(\d{4})_\w+\.py", file.name))]
    return max(numbers)


def version_of(connection: Connection) -> str | None:
    """None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return version_of(connection.execution_options(turnout_reads=True))


def _upgrade_file(engine: Engine) -> None:
    if _version(engine) == newest_version():
        return
    with engine.connect() as connection:
        # For good: it is written into the file. Outside of a transaction, or it is refused.
        connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        _upgrade(connection)


def _upgrade_server(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        if version_of(connection) != newest_version():
            _upgrade(connection)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Changing the journal's mode fails at once while others look at the file: processes wait here for each other."""
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(HOME).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
