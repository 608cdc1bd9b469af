"""Ask the log server, and tell what stands in the way in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collector.cli.trouble import Trouble

if TYPE_CHECKING:
    import redis

    from collector.config import Config
    from worker.stories.stores import Stores


@contextmanager
def log_of(config: "Config") -> "Iterator[redis.Redis]":
    """A client of the log, which is the one that the configuration means. Raises Trouble."""
    from redis.exceptions import RedisError

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
    except (RedisError, OSError) as error:
        raise Trouble(f"the log at {config.log.url!r} does not answer: {error}") from error


@contextmanager
def stores_for(config: "Config") -> "Iterator[Stores]":
    """The log and the database of the configuration. Raises Trouble."""
    from destinations.archive.index import DamagedArchiveError
    from worker.database.engine import open_database
    from worker.stories.stores import stores_of

    with log_of(config) as client:
        engine = open_database(config)
        try:
            yield stores_of(client, engine, config)
        except DamagedArchiveError as error:
            raise Trouble(f"the archive is damaged: {error}") from error
        finally:
            engine.dispose()
