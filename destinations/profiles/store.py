"""Write what messages claim into the database of users and groups."""

from collections.abc import Sequence
from pathlib import Path

from destinations.profiles.claims import Claims
from destinations.profiles.writing import Writing
from destinations.sql.engine import Database, opened, tried, writing
from destinations.sql.migrate import History
from destinations.sql.url import DatabaseUrl

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
    with writing(database) as connection:
        Writing(connection, batch).run()
