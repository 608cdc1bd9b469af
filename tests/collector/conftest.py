import pytest

from tests.collector.client import Client, MemoryLog, edge


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def client(log: MemoryLog) -> Client:
    return edge(log)
