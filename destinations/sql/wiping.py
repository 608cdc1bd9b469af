"""Make sure that what was deleted from a database is not in its files any more either."""

import sqlite3
import time
from collections.abc import Sequence

from sqlalchemy import Engine, text

from destinations.sql.engine import told

PAUSE = 0.1
MOST_SECONDS = 30.0


def wipe(engine: Engine, tables: Sequence[str], *, most: float = MOST_SECONDS) -> str:
    """Why something may be left; "" when nothing is. Raises DatabaseAway."""
    if engine.dialect.name == "sqlite":
        return wipe_file(str(engine.url.database), most=most)
    with told("the database"), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.execute(text(f'VACUUM "{table}"'))
    return ""


def wipe_file(path: str, *, most: float = MOST_SECONDS) -> str:
    """The same for a file of SQLite's, which others may have open. Free pages and the journal keep what was deleted."""
    end = time.monotonic() + most
    reason = ""
    while True:
        try:
            if _wiped(path):
                return ""
            reason = "others are reading it"
        except sqlite3.OperationalError as error:
            reason = str(error)
        if time.monotonic() >= end:
            return f"{path} may still hold what was deleted from it: {reason}"
        time.sleep(PAUSE)


def _wiped(path: str) -> bool:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.close()
