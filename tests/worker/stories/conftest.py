"""A database for stories, once of each kind."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.worker.stories import rig
from worker.config import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return rig.config(tmp_path)


@pytest.fixture
def engine(database: Engine) -> Engine:
    return database
