"""A line to test couriers on."""

from collections.abc import Iterator

import pytest
import redis

from tests.worker.rig import Line


@pytest.fixture
def line(log_client: redis.Redis) -> Iterator[Line]:
    line = Line(log_client)
    yield line
    line.close()
