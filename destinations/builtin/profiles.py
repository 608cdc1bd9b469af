"""Keep users, groups and who belongs to which, for others to ask about."""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

from destinations.adapter import Destination
from destinations.outcome import Deferred, Delivered, Outcome
from destinations.profiles.claims import claims_of
from destinations.profiles.store import apply, open_profiles
from destinations.sql.engine import Database
from destinations.sql.errors import DatabaseAway
from destinations.sql.url import DatabaseUrl
from schemas.envelope import Envelope


class ProfilesSettings(msgspec.Struct, frozen=True, kw_only=True):
    url: Annotated[DatabaseUrl, Meta(description="The database to keep them in.")]
    identifiers: Annotated[tuple[str, ...], Meta(description="Traits by which users can be found too.")] = ("email",)


class Profiles(Destination[ProfilesSettings]):
    shape = ProfilesSettings
    batch_messages = 1_000

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        found = [claims_of(one.open(), one.source, self.settings.identifiers) for one in batch]
        try:
            apply(self._database, found)
        except DatabaseAway as error:
            return [Deferred(str(error), scope="destination")] * len(batch)
        return [Delivered()] * len(batch)

    def check(self) -> str | None:
        try:
            open_profiles(self.settings.url).dispose()
        except DatabaseAway as error:
            return str(error)
        return None

    def close(self) -> None:
        if "_database" in self.__dict__:
            self._database.dispose()

    @cached_property
    def _database(self) -> Database:
        return open_profiles(self.settings.url)
