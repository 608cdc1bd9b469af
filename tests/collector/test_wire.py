"""Requests in the shapes of real clients, one file each in tests/wire: what is answered, stored and refused.

A file holds one `request` with its `answer`, or several as `exchanges`. A request is a POST unless it names a `method`,
and its body is `json` or `text`. An answer names what has to be just so: `status`, `json`, `type`, `headers`.
"""

import gzip
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.clients.catalog.recorded import BY_FILE
from tests.clients.certificate import Scenario, certified
from tests.collector.client import Answered, Client, MemoryLog, edge

WIRE = Path(__file__).parent.parent / "wire"
SITUATIONS = sorted(WIRE.glob("*.json"))
ASKED = {"path", "method", "query", "headers", "json", "text", "encode", "chunks"}
ANSWERED = {"status", "json", "type", "headers"}


def play(client: Client, request: dict[str, Any]) -> Answered:
    """Send a request of a file."""
    assert request.keys() <= ASKED
    answered = client.request(
        request.get("method", "POST"),
        request["path"],
        list(chunks(request)),
        request["headers"],
        query=request.get("query", ""),
    )
    assert answered is not None
    return answered


def chunks(request: dict[str, Any]) -> Iterator[bytes]:
    body = request.get("text", "").encode() if "json" not in request else msgspec.json.encode(request["json"])
    if request.get("encode") == "gzip":
        body = gzip.compress(body)
    step = request.get("chunks", len(body)) or 1
    for start in range(0, max(len(body), 1), step):
        yield body[start : start + step]


def told(answered: Answered, expected: dict[str, Any]) -> dict[str, Any]:
    """As much of the answer as is expected to be just so."""
    assert {"status"} <= expected.keys() <= ANSWERED
    named = {name: answered.headers.get(name) for name in expected.get("headers", ())}
    found = {"status": answered.status, "type": answered.headers.get("content-type"), "headers": named}
    return {name: answered.json() if name == "json" else found[name] for name in expected}


def exchanges(situation: dict[str, Any]) -> list[dict[str, Any]]:
    several = situation.get("exchanges")
    return [{"request": situation["request"], "answer": situation["answer"]}] if several is None else several


@pytest.mark.parametrize("path", SITUATIONS, ids=[path.stem for path in SITUATIONS])
def test_a_request_of_a_real_client_is_stored_as_it_was_meant(path: Path) -> None:
    with recorded(path):
        assert_as_written(msgspec.json.decode(path.read_bytes()))


def recorded(path: Path) -> AbstractContextManager[None]:
    """Some stand for clients that nothing else here runs."""
    client = BY_FILE.get(path.stem)
    return nullcontext() if client is None else certified(client, Scenario.CALLS)


def assert_as_written(situation: dict[str, Any]) -> None:
    log = MemoryLog()
    client = edge(log)
    for exchange in exchanges(situation):
        assert told(play(client, exchange["request"]), exchange["answer"]) == exchange["answer"]
    stored = [{"source": item.source, "message": msgspec.json.decode(item.body)} for item in log.items]
    assert stored == situation["stored"]
    refused = [
        {"raw": refusal.raw.decode(), "codes": [violation.code for violation in refusal.violations]}
        for refusal in log.refusals
    ]
    assert refused == situation["refused"]


def test_there_are_situations() -> None:
    assert len(SITUATIONS) > 30
    assert BY_FILE.keys() <= {path.stem for path in SITUATIONS}
