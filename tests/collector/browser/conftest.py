"""An application with a library on its shelf."""

import gzip
from pathlib import Path

import pytest

from collector.app import create_app
from collector.browser.published import PINS
from schemas.limits import Limits
from tests.collector.client import KEYS, NOON, Client, MemoryLog

SCRIPT = b'var key="__WRITE_KEY__";' * 20
CHUNK_NAME = "407.bundle.61efa1acb302134c434b.js"
CHUNK = b"chunk()" * 20


def put(directory: Path, **contents: bytes) -> Path:
    directory.mkdir(parents=True)
    for name, content in contents.items():
        (directory / name).write_bytes(content)
        (directory / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    return directory


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the application looks for the library."""
    return tmp_path / "published"


@pytest.fixture
def library(place: Path) -> Path:
    return put(place / PINS[0].version, **{"standalone.js": SCRIPT, CHUNK_NAME: CHUNK, "LICENSE.MD": b"MIT"})


@pytest.fixture
def visitor(place: Path) -> Client:
    app = create_app(KEYS, MemoryLog(), now=lambda: NOON, new_id=lambda: "id", limits=Limits(), library=[place])
    return Client(app)
