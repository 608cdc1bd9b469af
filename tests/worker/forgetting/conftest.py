"""A world with a log server of its own, whose files are searched too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.worker.forgetting.world import World, config
from worker import connect
from worker.embedded import log_server


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    server = log_server(tmp_path, "fsync")
    server.start()
    client = connect.client(server.url, timeout=5.0)
    client.config_set("rdbcompression", "no")  # or the search would not see what is there
    with databases.opened(config(tmp_path)) as engine:
        world = World(client, engine, config(tmp_path), server.url)
        world.fill()
        yield world
        world.close()
    client.close()
    server.stop()
