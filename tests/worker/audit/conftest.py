"""A world to audit, with each kind of database."""

from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from tests.worker.audit.rig import World, config


@pytest.fixture
def world(log_client: redis.Redis, database: Engine, tmp_path: Path) -> World:
    return World(log_client, database, config(tmp_path))
