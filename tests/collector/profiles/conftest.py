from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.client import Client
from tests.collector.profiles.people import Given


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Given]:
    given = Given(tmp_path)
    yield given
    given.close()


@pytest.fixture
def api(given: Given) -> Client:
    return given.api()
