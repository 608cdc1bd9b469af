"""Databases for the tests: SQLite in a file, and PostgreSQL with a schema of its own for each test."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from destinations.sql.url import DatabaseUrl
from tests.postgres import Postgres
from worker.config import Config, DatabaseSettings
from worker.database.engine import open_database

_NUMBERS = itertools.count(1)


def in_file(directory: Path) -> Config:
    """A configuration with its database in this directory."""
    return Config(data=directory)


@contextmanager
def in_schema(postgres: Postgres) -> Iterator[Config]:
    """A configuration with its database in a new schema, which goes afterwards."""
    name = f"test_{next(_NUMBERS)}"
    server = create_engine(postgres.url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
        url = DatabaseUrl(f"{postgres.url}&options=-csearch_path%3D{name}")
        yield Config(database=DatabaseSettings(url=url))
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    server.dispose()


@contextmanager
def opened(config: Config) -> Iterator[Engine]:
    engine = open_database(config)
    try:
        yield engine
    finally:
        engine.dispose()
