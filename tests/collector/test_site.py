"""What the edge serves besides messages: its health, and its schemas."""

import msgspec
import pytest

from collector.log_port import Spooled
from schemas import catalog
from tests.collector.client import Client, MemoryLog


def test_a_process_that_answers_is_alive(client: Client, log: MemoryLog) -> None:
    log.words = "connection refused"
    answered = client.get("/health/live")
    assert (answered.status, answered.json()) == (200, {"status": "live"})


def test_it_is_ready_when_the_log_is(client: Client) -> None:
    answered = client.get("/health/ready")
    assert (answered.status, answered.json()) == (200, {"status": "ready"})
    assert answered.headers["cache-control"] == "no-store"


def test_it_is_ready_while_messages_wait_on_its_disk_and_says_so(client: Client, log: MemoryLog) -> None:
    log.kept_here = Spooled(messages=2, bytes=600, since=1_700_049_600.0, reason="the log is nearly full")
    answered = client.get("/health/ready")
    assert answered.status == 200
    assert answered.json() == {
        "status": "ready",
        "spool": {"messages": 2, "bytes": 600, "since": 1_700_049_600.0, "reason": "the log is nearly full"},
    }


def test_it_says_why_it_is_not_ready(client: Client, log: MemoryLog) -> None:
    log.words = "the log cannot be reached: connection refused"
    answered = client.get("/health/ready")
    assert answered.status == 503
    assert answered.json()["code"] == "not_ready"
    assert answered.json()["reasons"] == [log.words]


def test_a_failing_check_is_an_answer_too(log: MemoryLog, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(MemoryLog):
        async def trouble(self) -> str | None:
            raise RuntimeError("secret words")

    from tests.collector.client import edge

    answered = edge(Failing()).get("/health/ready")
    assert (answered.status, answered.json()["code"]) == (500, "internal_error")
    assert "unexpected RuntimeError" in caplog.text
    assert "secret words" not in caplog.text


@pytest.mark.parametrize("path", ["/schemas", "/schemas/"])
def test_the_schemas_are_listed(client: Client, path: str) -> None:
    answered = client.get(path)
    assert answered.status == 200
    places = answered.json()["schemas"]
    assert set(places) == set(catalog.names())
    for place in places.values():
        assert client.get(place).json()["$id"] == place


@pytest.mark.parametrize("name", catalog.names())
def test_a_schema_is_served_as_it_is(client: Client, name: str) -> None:
    answered = client.get(f"/schemas/{name}.json")
    assert answered.headers["content-type"] == "application/schema+json"
    assert msgspec.json.decode(answered.body) == catalog.schema(name)


@pytest.mark.parametrize(
    "path", ["/schemas/nothing.json", "/schemas/track", "/schemas/track.json/", "/schemas/../x.json"]
)
def test_an_unknown_schema_is_not_found(client: Client, path: str) -> None:
    answered = client.get(path)
    assert (answered.status, answered.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/schemas/", "/schemas/track.json"])
def test_head_is_answered_like_get(client: Client, path: str) -> None:
    head, get = client.get(path, method="HEAD"), client.get(path)
    assert (head.status, head.headers) == (get.status, get.headers)


@pytest.mark.parametrize("path", ["/health/live", "/schemas/"])
def test_another_method_names_those_that_work(client: Client, path: str) -> None:
    answered = client.get(path, method="DELETE")
    assert answered.status == 405
    assert set(answered.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/schemas/track.json/"])
def test_there_is_never_a_redirect(client: Client, path: str) -> None:
    assert client.get(path).status == 404
