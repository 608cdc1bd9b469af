"""Real servers for the tests, one of each a session: Valkey, empty before each test that uses it; PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from sqlalchemy import Engine

from tests import databases
from tests.faults.scenarios import SCENARIOS
from tests.postgres import Postgres, Unable
from worker import connect
from worker.config import Config
from worker.embedded import Server, log_server, rq_server

LONGEST_FIRST = (
    *("tests/test_kills.py", "tests/collector/cli/test_up.py", "tests/test_reloads.py", "tests/test_replay.py"),
    *("tests/collector/cli/test_dead.py", "tests/test_log_away.py", "tests/clients/", "tests/faults/", "tests/test_"),
    *("tests/collector/cli/", "tests/collector/test_tls.py", "tests/collector/test_openapi_tried.py"),
)
"""Where whole systems are started and waited for: begun last, one of them would keep everybody waiting for its end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-k F21` selects the tests of a fault, wherever they are."""
    items.sort(key=_turn)
    for item in items:
        node = item.nodeid.partition("[")[0]
        item.extra_keyword_matches.update(name for name, found in SCENARIOS.items() if node in found.tests)


def _turn(item: pytest.Item) -> int:
    """Processes that share the tests take the files in this order."""
    found = (turn for turn, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start))
    return next(found, len(LONGEST_FIRST))


pytest_plugins = ["tests.faults.table"]

# How long an example takes says how busy the machine is, and nothing about the example.
settings.register_profile("turnout", deadline=None)
settings.load_profile("turnout")


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except Unable as reason:
        pytest.skip(f"PostgreSQL cannot run here: {reason}")
    try:
        server.start()
    except Unable as reason:
        server.stop()
        pytest.skip(f"PostgreSQL cannot run here: {reason}")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """A configuration whose database is empty, once of each kind."""
    if request.param == "sqlite":
        yield databases.in_file(tmp_path)
        return
    with databases.in_schema(request.getfixturevalue("postgres")) as config:
        yield config


@pytest.fixture
def database(database_config: Config) -> Iterator[Engine]:
    """An open database with all tables and nothing in them, once of each kind."""
    with databases.opened(database_config) as engine:
        yield engine
