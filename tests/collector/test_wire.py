"""Requests in the shapes of real clients, one file each in tests/wire: what is answered, stored and refused."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.collector.client import Answered, MemoryLog, edge

WIRE = Path(__file__).parent.parent / "wire"
SITUATIONS = sorted(WIRE.glob("*.json"))


def play(request: dict[str, Any]) -> tuple[Answered, MemoryLog]:
    """Send the request of a file; the answer, and what the log was given."""
    log = MemoryLog()
    body = request["text"].encode() if "text" in request else msgspec.json.encode(request["json"])
    if request.get("encode") == "gzip":
        body = gzip.compress(body)
    step = request.get("chunks", len(body))
    chunks = [body[start : start + step] for start in range(0, len(body), step)]
    answered = edge(log).request("POST", request["path"], chunks, request["headers"])
    assert answered is not None
    return answered, log


@pytest.mark.parametrize("path", SITUATIONS, ids=[path.stem for path in SITUATIONS])
def test_a_request_of_a_real_client_is_stored_as_it_was_meant(path: Path) -> None:
    situation = msgspec.json.decode(path.read_bytes())
    answered, log = play(situation["request"])
    assert {"status": answered.status, "json": answered.json()} == situation["answer"]
    stored = [{"source": item.source, "message": msgspec.json.decode(item.body)} for item in log.items]
    assert stored == situation["stored"]
    refused = [
        {"raw": refusal.raw.decode(), "codes": [violation.code for violation in refusal.violations]}
        for refusal in log.refusals
    ]
    assert refused == situation["refused"]


def test_there_are_situations() -> None:
    assert len(SITUATIONS) > 10
