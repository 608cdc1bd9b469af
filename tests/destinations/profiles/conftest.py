"""A database of users and groups with nothing in it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from destinations.profiles.store import open_profiles
from tests.destinations.profiles.people import Town
from worker.config import Config
from worker.database.engine import url_of


@pytest.fixture
def profiles(database_config: Config) -> Iterator[Engine]:
    """Open, once of each kind."""
    engine = open_profiles(url_of(database_config))
    yield engine
    engine.dispose()


@pytest.fixture
def town(database_config: Config, profiles: Engine) -> Iterator[Town]:
    town = Town(url_of(database_config), profiles)
    yield town
    town.destination.close()
