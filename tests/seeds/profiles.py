"""Look into the profiles of a running Turnout."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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
    """What a database of users and groups has; with a token, what the API says of them is the same."""

    def __init__(self, turnout: Running, database: Database, token: str) -> None:
        self._turnout = turnout
        self._database = database
        self._token = token

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

        seen = eventually(found, within=ARRIVES_WITHIN, what=f"the profile of {name}")
        if self._token:
            assert self._asked(kind, name) == seen.traits
        return seen

    def _asked(self, kind: str, name: str) -> Any:
        """The traits, as whoever asks over HTTP is told."""
        collection = "accounts" if kind == "group_id" else "users"
        path = f"/v1/spaces/main/collections/{collection}/profiles/{kind}:{quote(name, safe='')}/traits?limit=200"
        status, answer = self._turnout.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
        assert status == 200, answer
        return json.loads(answer)["traits"]


def _seen(connection: Connection, kind: str, name: str) -> Seen | None:
    number = reading.number_of(connection, kind, name)
    if number is None:
        return None
    profile = reading.profile_of(connection, number)
    joined = sorted(group.id for group in reading.groups_of(connection, number))
    return Seen(profile.values(), [(each.type, each.id) for each in profile.ids], joined)


@contextmanager
def profiles_of(turnout: Running, *, token: str = "") -> Iterator[Profiles]:
    database = open_profiles(DatabaseUrl.of_file(turnout.data / "profiles.db"))
    try:
        yield Profiles(turnout, database, token)
    finally:
        database.dispose()
