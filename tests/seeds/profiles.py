"""Look into the profiles of a running Turnout."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from destinations.profiles import reading
from destinations.profiles.store import open_profiles
from destinations.sql.engine import Database
from destinations.sql.engine import reading as looking
from destinations.sql.url import DatabaseUrl
from tests.running import Running
from tests.waiting import eventually

ARRIVES_WITHIN = 40.0


@dataclass(frozen=True)
class Seen:
    """What is known of a user or a group."""

    traits: dict[str, Any]
    ids: list[tuple[str, str]]
    groups: list[str]


class Profiles:
    """What a database of users and groups has."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def user(self, name: str, *, until: Any = None, groups: list[str] | None = None) -> Seen:
        """The user with this id, once its traits are `until` and its groups `groups`."""
        return self._once("user_id", name, until, groups)

    def visitor(self, name: str, *, groups: list[str] | None = None) -> Seen:
        return self._once("anonymous_id", name, None, groups)

    def group(self, name: str, *, until: Any = None) -> Seen:
        return self._once("group_id", name, until, None)

    def _once(self, kind: str, name: str, until: Any, groups: list[str] | None) -> Seen:
        def found() -> Seen:
            with looking(self._database) as connection:
                seen = _seen(connection, kind, name)
            assert seen is not None, f"nothing is known of {name}"
            assert until is None or seen.traits == until
            assert groups is None or seen.groups == groups
            return seen

        return eventually(found, within=ARRIVES_WITHIN, what=f"the profile of {name}")


def _seen(connection: Connection, kind: str, name: str) -> Seen | None:
    number = reading.number_of(connection, kind, name)
    if number is None:
        return None
    profile = reading.profile_of(connection, number)
    joined = sorted(group.id for group in reading.groups_of(connection, number))
    return Seen(profile.values(), [(each.type, each.id) for each in profile.ids], joined)


@contextmanager
def profiles_of(turnout: Running) -> Iterator[Profiles]:
    database = open_profiles(DatabaseUrl.of_file(turnout.data / "profiles.db"))
    try:
        yield Profiles(database)
    finally:
        database.dispose()
