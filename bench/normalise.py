"""Measure what a message costs before it is stored: decoding, checking, normalising, encoding.

Run it with `python -m bench.normalise`. The reference in the same run is decoding and encoding the same bytes.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.arrival import Arrival, arrival
from schemas.limits import Limits
from schemas.normalise import normalise
from schemas.validate import is_valid

ROUNDS = 200
BATCH = 100
RECEIVED_MS = 1_714_996_800_000
LIMITS = Limits()
SENT = arrival(RECEIVED_MS, sent_at="2024-05-06T11:59:59.950Z")
FROM_GO = arrival(
    RECEIVED_MS,
    sent_at="2024-05-06T11:59:59.449782649Z",
    context={"library": {"name": "analytics-go", "version": "3.0.0"}},
)
COMMON: dict[str, Any] = {
    "messageId": "ajs-next-1714996799900-c42ad54a-3fcd-4cc3-b2c1-1a673a20f3b8",
    "userId": "u-1029384756",
    "anonymousId": "6d1a1b7e-2d4a-4b53-8d0e-6b0a1b7e2d4a",
    "timestamp": "2024-05-06T11:59:59.900Z",
    "integrations": {},
}
BROWSER = {
    "page": {"path": "/page", "referrer": "", "search": "?q=1", "title": "T", "url": "https://example.com/page"},
    "library": {"name": "analytics.js", "version": "next-1.84.3"},
    "locale": "en-US",
}
TRAITS = {
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "plan": "pro",
    "logins": 5,
    "createdAt": "2020-01-01T00:00:00.000Z",
    "total billed": 830,
    "company": {"name": "Analytical Engines", "id": 1},
}
SNAKE = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "plan": "pro",
    "logins": 5,
    "created_at": "2020-01-01T00:00:00.000+00:00",
    "total billed": 830,
    "company": {"name": "Analytical Engines", "employeeCount": 3},
}
PYTHON = {"timestamp": "2024-05-06T11:59:59.900+00:00", "context": {"library": {"name": "py", "version": "2.4.0"}}}
MESSAGES: tuple[tuple[str, dict[str, Any], Arrival], ...] = (
    ("track", {"type": "track", "event": "Clicked", "properties": {"plan": "pro", "n": 1}, "context": BROWSER}, SENT),
    ("track, context of the batch", {"type": "track", "event": "Clicked", "properties": {"plan": "pro"}}, FROM_GO),
    ("identify, 8 traits", {"type": "identify", "traits": TRAITS, "context": BROWSER}, SENT),
    ("identify, 8 traits in snake_case", {"type": "identify", "traits": SNAKE} | PYTHON, SENT),
    ("group, 8 traits", {"type": "group", "groupId": "g1", "traits": TRAITS, "context": BROWSER}, SENT),
)


def best(prepare: Callable[[], list[Any]], act: Callable[[Any], object]) -> float:
    """Microseconds for one thing in the quickest of many batches."""
    quickest = float("inf")
    for _ in range(ROUNDS):
        things = prepare()
        start = time.perf_counter()
        for thing in things:
            act(thing)
        quickest = min(quickest, time.perf_counter() - start)
    return quickest / BATCH * 1e6


def row(name: str, message: dict[str, Any], came: Arrival) -> str:
    raw = msgspec.json.encode(COMMON | message)
    kind = str(message["type"])
    decoded = [msgspec.json.decode(raw)] * BATCH
    decode = best(lambda: [raw] * BATCH, msgspec.json.decode)
    encode = best(lambda: decoded, msgspec.json.encode)
    valid = best(lambda: decoded, lambda one: is_valid(one, kind))
    whole = best(
        lambda: [msgspec.json.decode(raw) for _ in range(BATCH)], lambda one: normalise(one, came, lambda: "id", LIMITS)
    )
    reference = decode + encode
    figures = (decode, encode, reference, valid, whole - valid, whole, whole / reference)
    return f"{name:34} {len(raw):5} " + " ".join(f"{figure:10.2f}" for figure in figures)


def main() -> None:
    columns = ("decode", "encode", "reference", "validate", "normalise", "both", "both/ref.")
    print("microseconds a message")
    print(f"{'':34} {'bytes':>5} " + " ".join(f"{column:>10}" for column in columns))
    for name, message, came in MESSAGES:
        print(row(name, message, came))


if __name__ == "__main__":
    main()
