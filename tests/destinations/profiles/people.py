"""Say things about people, and ask what is known of them."""

from typing import Any

from sqlalchemy import Engine

from destinations.builtin.profiles import Profiles, ProfilesSettings
from destinations.outcome import Delivered
from destinations.profiles.profile import Profile
from destinations.profiles.reading import number_of, profile_of
from destinations.sql.engine import reading
from destinations.sql.url import DatabaseUrl
from tests.destinations.messages import envelope


class Town:
    """The destination, fed message by message."""

    def __init__(self, url: DatabaseUrl, database: Engine) -> None:
        self.destination = Profiles("profiles", ProfilesSettings(url=url))
        self.database = database
        self._number = 0

    def hears(self, kind: str, at: str = "", **members: Any) -> None:
        """The messages come a second after each other, unless one says when it was sent."""
        self._number += 1
        when = {"timestamp": at or f"2024-05-06T07:{self._number // 60:02d}:{self._number % 60:02d}.000Z"}
        said = {name: value for name, value in members.items() if value is not None}
        message = envelope(self._number, **({"type": kind, "userId": None} | when | said))
        assert self.destination.deliver([message], 0.0) == [Delivered()]

    def knows(self, kind: str, value: str) -> Profile | None:
        with reading(self.database) as connection:
            number = number_of(connection, kind, value)
            return None if number is None else profile_of(connection, number)
