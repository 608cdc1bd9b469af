"""Ask the log server and the database, and tell what stands in the way in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from collector.config import Config
    from destinations.sql.engine import Database
    from worker.stories.stores import Stores


@contextmanager
def log_of(config: "Config") -> "Iterator[redis.Redis]":
    """A client of the log, which is the one that the configuration means. Raises Trouble."""
    from redis.exceptions import OutOfMemoryError, RedisError

    from worker import connect
    from worker.errors import WorkerError
    from worker.settings import same_partitions

    try:
        with connect.client(config.log.url, timeout=config.log.timeout) as client:
            same_partitions(client, config.log.partitions)
            yield client
    except BrokenPipeError:
        raise
    except WorkerError as error:
        raise Trouble(str(error)) from error
    except OutOfMemoryError as error:
        raise Trouble(f"the log at {config.log.url!r} is full: nothing can be added to it now") from error
    except (RedisError, OSError) as error:
        raise Trouble(f"the log at {config.log.url!r} does not answer: {error}") from error


@contextmanager
def database_of(config: "Config") -> "Iterator[Database]":
    """The database that the configuration means. Raises Trouble."""
    from destinations.sql.errors import DatabaseAway
    from worker.database.engine import open_database

    try:
        engine = open_database(config)
        try:
            yield engine
        finally:
            engine.dispose()
    except DatabaseAway as error:
        raise Trouble(str(error)) from error


def fetch(config: "Config", engine: "Database", move: "Callable[[redis.Redis, Database], int]") -> None:
    """Move what still lies in the log into the database; where the log is away, say so and go on without it."""
    from collector.run import NotRunning, located

    try:
        with log_of(located(config)) as client:
            move(client, engine)
    except (NotRunning, Trouble) as trouble:
        reason = "; ".join(trouble.lines) if isinstance(trouble, Trouble) else str(trouble)
        typer.echo(f"turnout: what came in the last seconds may be missing: {reason}", err=True)


@contextmanager
def stores_for(config: "Config") -> "Iterator[Stores]":
    """The log and the database of the configuration. Raises Trouble."""
    from destinations.archive.index import DamagedArchiveError
    from worker.stories.stores import stores_of

    with log_of(config) as client, database_of(config) as engine:
        try:
            yield stores_of(client, engine, config)
        except DamagedArchiveError as error:
            raise Trouble(f"the archive is damaged: {error}") from error
