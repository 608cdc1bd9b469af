"""Open the database that the configuration names."""

from pathlib import Path

from destinations.sql.engine import Database, opened, tried
from destinations.sql.migrate import History
from destinations.sql.url import DatabaseUrl
from worker.config import Config

FILE = "turnout.db"
HISTORY = History(Path(__file__).with_name("migrations"), "alembic_version")


def open_database(config: Config) -> Database:
    """The database of this configuration, with the tables of this version. Raises DatabaseAway.

    To be opened in the process that uses it: connections do not survive a fork.
    """
    return opened(url_of(config), HISTORY)


def try_database(config: Config) -> None:
    """Connect, and change nothing. Raises DatabaseAway."""
    tried(url_of(config))


def place_of(config: Config) -> str:
    """Where the database is, without its password."""
    return repr(url_of(config))


def url_of(config: Config) -> DatabaseUrl:
    url = config.database.url
    return DatabaseUrl.of_file(config.data / FILE) if url.embedded else url
