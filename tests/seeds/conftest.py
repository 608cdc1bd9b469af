"""One Turnout for all examples, and a look into the profiles that they end in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection

from destinations.profiles import reading
from destinations.profiles.store import open_profiles
from destinations.sql.engine import Database
from destinations.sql.engine import reading as looking
from destinations.sql.url import DatabaseUrl
from tests.running import Running, running
from tests.waiting import eventually

SOURCES = """
[sources.dopt]
write_keys = ["users-key", "HNWvcT78tyTwygnbzU6SW", "$USERS_API_KEY"]

[sources.segment]
write_keys = ["segment-key"]

[sources.openpanel]
write_keys = ["openpanel-key"]

[sources.attached]
write_keys = ["attached-key"]
attach_groups = true
"""
"""The keys as the documents have them; one prints a variable where a shell does not fill it in."""

ARRIVES_WITHIN = 40.0


@dataclass(frozen=True)
class Seen:
    """What is known of a user or a group."""

    traits: dict[str, Any]
    ids: list[tuple[str, str]]
    groups: list[str]


class Profiles:
    """The profiles of a running Turnout."""

    def __init__(self, turnout: Running, database: Database) -> None:
        self.turnout = turnout
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


@pytest.fixture(scope="package")
def turnout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("seeds"), SOURCES, environment={"USERS_API_KEY": "users-key"}) as started:
        yield started


@pytest.fixture(scope="package")
def profiles(turnout: Running) -> Iterator[Profiles]:
    database = open_profiles(DatabaseUrl.of_file(turnout.data / "profiles.db"))
    yield Profiles(turnout, database)
    database.dispose()
