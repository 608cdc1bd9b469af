"""The messages that the benches send: a plausible track call of about 550 bytes, as a browser makes it."""

import itertools
import json
from collections.abc import Iterator

USERS = 1_000
_numbers = itertools.count()


def track() -> dict[str, object]:
    number = next(_numbers)
    return {
        "type": "track",
        "messageId": f"bench-{number:012d}-8c1d4a6e2f",
        "userId": f"user-{number * 7919 % USERS}",
        "anonymousId": "5f0c6c1e-8a4e-4a35-9d0b-2f7c3f1f9a10",
        "event": "Product Added",
        "properties": {"product_id": "sku-4711", "name": "Flange", "price": 12.5, "quantity": 2, "cart_id": "c-99"},
        "context": {
            "library": {"name": "analytics.js", "version": "2.1.0"},
            "page": {"path": "/shop", "url": "https://shop.example/shop", "title": "Shop"},
            "locale": "en-GB",
        },
        "timestamp": "2026-11-22T10:00:00.000Z",
    }


def single() -> bytes:
    message = track()
    del message["type"]
    return json.dumps(message, separators=(",", ":")).encode()


def batch(size: int) -> bytes:
    whole = {"batch": [track() for _ in range(size)], "sentAt": "2026-11-22T10:00:00.100Z"}
    return json.dumps(whole, separators=(",", ":")).encode()


def prepared(requests: list[bytes]) -> Iterator[bytes]:
    """Requests made beforehand, so that making them is not measured."""
    return iter(requests)
