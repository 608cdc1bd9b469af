"""Refusals to test with, as a collector writes them down."""

from typing import Any

import msgspec
import redis

from collector.accept import Refused
from collector.auth import Grant
from collector.log_port import Refusal
from collector.quarantine import of_message
from schemas.errors import Violation
from worker import keys

AT = "2024-02-29T12:00:00.000Z"
MISSING = (Violation("userId", "anyOf", "a userId or an anonymousId", "nothing", "no_user_anon_id"),)


def refusal(
    message: dict[str, Any], *, at: str = AT, source: str = "web", path: str = "/v1/track", wrong: Any = MISSING
) -> bytes:
    raw = msgspec.json.encode(message)
    refused = Refused(0, None, raw, wrong)
    return msgspec.json.encode(of_message(refused, Grant(source, "a-long-write-key"), at, path))


def body(raw: bytes, *, path: str = "/v1/batch", code: str = "invalid_json") -> bytes:
    wrong = (Violation("", "body", "messages", "the body is not JSON", code),)
    found = Refusal(source="web", received_at=AT, kind="body", path=path, raw=raw, size=len(raw), violations=wrong)
    return msgspec.json.encode(found)


def refuse(client: "redis.Redis", *records: bytes, partition: int = 0) -> None:
    """As an append does."""
    for record in records:
        source = msgspec.json.decode(record)["source"]
        client.xadd(keys.refused(partition, source), {"record": record})
