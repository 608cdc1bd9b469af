"""What reading a message costs a destination: ten readers, beside plain access to the same values."""

import time
from collections.abc import Callable
from typing import Any

from bench.measures import Row
from schemas.readers.reader import of

ROUNDS = 25
GOAL_US = 30.0

_AROUND = {
    "messageId": "ajs-next-1714996799900-c42ad54a-3fcd-4cc3-b2c1-1a673a20f3b8",
    "userId": "u-1029384756",
    "anonymousId": "6d1a1b7e-2d4a-4b53-8d0e-6b0a1b7e2d4a",
    "timestamp": "2024-05-06T11:59:59.900Z",
    "context": {
        "page": {"path": "/page", "referrer": "https://search.example/", "url": "https://example.com/page"},
        "library": {"name": "analytics.js", "version": "next-1.84.3"},
        "locale": "en-US",
    },
}
IDENTIFY: dict[str, Any] = _AROUND | {
    "type": "identify",
    "traits": {
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "plan": "pro",
        "logins": 5,
        "createdAt": "2020-01-01T00:00:00.000Z",
        "total billed": 830,
        "company": {"name": "Analytical Engines", "id": 1},
        "address": {"city": "London", "country": "GB"},
        "phone": "+44 20 7946 0000",
    },
}
ORDER: dict[str, Any] = _AROUND | {
    "type": "track",
    "event": "Order Completed",
    "properties": {
        "order_id": "o-4711",
        "revenue": 19.99,
        "tax": 1.2,
        "shipping": 3,
        "currency": "EUR",
        "coupon": "SUMMER",
        "products": [{"product_id": "p1", "sku": "s1", "price": 9.5, "quantity": 2}],
    },
}


def read_identify(message: dict[str, Any]) -> object:
    reader = of(message)
    user = reader.user
    return (
        user.id, user.email, user.name, user.first_name, user.last_name,
        user.created, user.phone, user.avatar, user.company_name, user.city,
    )  # fmt: skip


def plain_identify(message: dict[str, Any]) -> object:
    traits = message["traits"]
    first, last = traits.get("firstName"), traits.get("lastName")
    name = traits.get("name") or f"{first} {last}"
    return (
        message.get("userId"), traits.get("email"), name, first, last, traits.get("createdAt"),
        traits.get("phone"), traits.get("avatar"), traits["company"].get("name"), traits["address"].get("city"),
    )  # fmt: skip


def read_order(message: dict[str, Any]) -> object:
    reader = of(message)
    order = reader.order
    return (
        reader.user_id, reader.meaning, order.order_id, order.revenue, order.currency, order.tax, order.shipping,
        order.coupon, order.products[0].sku, reader.referrer,
    )  # fmt: skip


def plain_order(message: dict[str, Any]) -> object:
    properties, context = message["properties"], message["context"]
    return (
        message.get("userId"), message["event"], properties.get("order_id"), properties.get("revenue"),
        properties.get("currency", "USD"), properties.get("tax"), properties.get("shipping"), properties.get("coupon"),
        properties["products"][0].get("sku"), context["page"].get("referrer"),
    )  # fmt: skip


def readers(count: int) -> list[Row]:
    """A reader is made for each message, as a destination makes it; the message is decoded already."""
    return [
        _row("ten readers, identify", read_identify, plain_identify, IDENTIFY, count),
        _row("ten readers, an order", read_order, plain_order, ORDER, count),
    ]


Reading = Callable[[dict[str, Any]], object]


def _row(what: str, read: Reading, plain: Reading, message: dict[str, Any], count: int) -> Row:
    ours, theirs = cost(read, message, count), cost(plain, message, count)
    goal = f"< {GOAL_US:.0f} us"
    return Row(what, f"{ours:.1f} us a message", f"{theirs:.2f} us plain access", ours / theirs, goal, ours < GOAL_US)


def cost(read: Reading, message: dict[str, Any], count: int) -> float:
    """Microseconds of processor a message, the best of several rounds."""
    quickest = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            read(message)
        quickest = min(quickest, time.process_time() - begun)
    return quickest / count * 1e6
