"""A world to audit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.worker.audit.rig import World, config
from tests.worker.stories.rig import database


@pytest.fixture
def world(log_client: redis.Redis, tmp_path: Path) -> Iterator[World]:
    about = config(tmp_path)
    with database(about) as engine:
        yield World(log_client, engine, about)
