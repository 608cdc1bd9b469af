"""Keep users, groups and who belongs to which, for others to ask about."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from destinations.adapter import Destination
from destinations.disk import write_trouble
from destinations.outcome import Deferred, Delivered, Outcome
from destinations.profiles.claims import Claims, claims_of
from destinations.profiles.sightings import EVENTS, Sightings, sighting
from destinations.sql.errors import DatabaseAway
from destinations.sql.url import DatabaseUrl
from schemas.envelope import Envelope

if TYPE_CHECKING:
    from destinations.sql.engine import Database

STORE = "destinations.profiles.store"
"""Imported by who delivers: it takes half a second, and whoever only reads a configuration has all destinations."""


class ProfilesSettings(msgspec.Struct, frozen=True, kw_only=True):
    url: Annotated[DatabaseUrl, Meta(description="The database to keep them in.")]
    identifiers: Annotated[tuple[str, ...], Meta(description="Traits by which users can be found too.")] = ("email",)


class Profiles(Destination[ProfilesSettings]):
    shape = ProfilesSettings
    storage = True
    batch_messages = 1_000

    def __init__(self, name: str, settings: ProfilesSettings) -> None:
        super().__init__(name, settings)
        self._sightings = Sightings()

    def deliver(self, batch: Sequence[Envelope], deadline: float) -> Sequence[Outcome]:
        sighted = self._sightings.new({sighting(one.head, one.source) for one in batch if one.head.type in EVENTS})
        said = [one.claims() for one in sighted]
        said += [self._claims(one) for one in batch if one.head.type not in EVENTS]
        if not said:
            return [Delivered()] * len(batch)
        try:
            self._store.apply(self._database, said)
        except DatabaseAway as error:
            return [Deferred(str(error), scope="destination")] * len(batch)
        self._sightings.written(sighted)
        return [Delivered()] * len(batch)

    def _claims(self, envelope: Envelope) -> Claims:
        return claims_of(envelope.open(), envelope.source, self.settings.identifiers)

    def check(self) -> str | None:
        file = self.settings.url.file
        if file is not None and (trouble := write_trouble(Path(file).parent)):
            return trouble
        try:
            self._store.try_profiles(self.settings.url)
        except DatabaseAway as error:
            return str(error)
        return None

    def close(self) -> None:
        if "_database" in self.__dict__:
            self._database.dispose()

    @cached_property
    def _store(self) -> ModuleType:
        return import_module(STORE)

    @cached_property
    def _database(self) -> "Database":
        database: Database = self._store.open_profiles(self.settings.url)
        return database
