"""Real Valkey servers for the tests: one pair a session, empty before each test that uses them."""

from collections.abc import Iterator

import pytest
import redis

from worker import connect
from worker.embedded import Server, log_server, rq_server


@pytest.fixture(scope="session")
def log_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = log_server(tmp_path_factory.mktemp("valkey-log"), "fsync")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rq_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = rq_server(tmp_path_factory.mktemp("valkey-rq"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def log_client(log_process: Server) -> Iterator[redis.Redis]:
    """A client of an empty log server."""
    client = connect.client(log_process.url, timeout=5.0)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def rq_client(rq_process: Server) -> Iterator[redis.Redis]:
    """A client of an empty RQ server."""
    client = connect.client(rq_process.url, timeout=5.0)
    client.flushall()
    yield client
    client.close()
