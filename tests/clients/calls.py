"""Calls on the official clients, and beside each what has to be stored of it.

What every message carries besides (ids of the message, times, the client's library) is looked at elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LEAP_DAY = "2024-02-29T12:34:56.789Z"
BOTH = ("python", "node")


def moment(text: str) -> dict[str, str]:
    """A datetime to Python, a Date to Node."""
    return {"$moment": text}


@dataclass(frozen=True)
class Written:
    """What is stored as each client wrote it, because nothing tells that it is a date."""

    python: str
    node: str


@dataclass(frozen=True)
class Call:
    method: str
    told: Mapping[str, Any]
    stored: Mapping[str, Any]
    clients: tuple[str, ...] = BOTH
    goes_to_hook: bool = True

    @property
    def original_timestamp(self) -> str | None:
        """When it happened, if the client was told so; as it is stored."""
        told = self.told.get("timestamp")
        return None if told is None else str(told["$moment"])

    def expected(self, client: str) -> dict[str, Any]:
        """The stored message without what every message carries besides."""
        common = {"type": self.method, "context": {}, "integrations": {}}
        return {**common, **as_written(self.stored, client)}


def as_written(stored: Any, client: str) -> Any:
    match stored:
        case Written():
            return getattr(stored, client)
        case Mapping():
            return {key: as_written(value, client) for key, value in stored.items()}
        case list():
            return [as_written(value, client) for value in stored]
        case _:
            return stored


def of(client: str) -> Iterator[Call]:
    return (call for call in CALLS if client in call.clients)


# A date in custom places stays as the client wrote it.
_A_LEAP_DAY = Written(python="2024-02-29T12:34:56.789000+00:00", node=LEAP_DAY)
_WORDS = 'Grüße, 世界! 👩‍👩‍👧 \u202eright to left\u202c "quoted" \\ / \t\n <&> \u2028 \x7f'

CALLS = (
    Call(
        "identify",
        {
            "userId": "u-1",
            "anonymousId": "a-1",
            "traits": {
                "email": "ada@example.com",
                "FIRST_NAME": "Ada",
                "last name": "Løvelace",
                "created_at": moment(LEAP_DAY),
                "birthday": "1815-12-10",
                "Address": {"postal_code": "W1S", "STREET": "St James's Square", "floor": 2},
                "company": {"Name": "Analytical Engines", "employee-count": 2},
                "total billed": 12.5,
                "tags": ["a", None, True],
            },
        },
        {
            "userId": "u-1",
            "anonymousId": "a-1",
            "traits": {
                "email": "ada@example.com",
                "firstName": "Ada",
                "lastName": "Løvelace",
                "createdAt": LEAP_DAY,
                "birthday": "1815-12-10",
                "address": {"postalCode": "W1S", "street": "St James's Square", "floor": 2},
                "company": {"name": "Analytical Engines", "employee_count": 2},
                "total billed": 12.5,
                "tags": ["a", None, True],
            },
        },
    ),
    Call("identify", {"userId": "u-1"}, {"userId": "u-1", "traits": {}}),
    Call(
        "group",
        {"userId": "u-1", "groupId": "g-1", "traits": {"name": "Engines", "EMPLOYEES": 40, "Plan": "pro", "seats": 3}},
        {"userId": "u-1", "groupId": "g-1", "traits": {"name": "Engines", "employees": 40, "plan": "pro", "seats": 3}},
    ),
    Call(
        "group",
        {"anonymousId": "a-2", "groupId": 77},
        {"anonymousId": "a-2", "groupId": "77", "traits": {}},
        ("python",),
    ),
    Call("group", {"userId": "u-1", "groupId": 77}, {"userId": "u-1", "groupId": "77", "traits": {}}),
    Call(
        "track",
        {
            "userId": "u-1",
            "event": "Order Completed",
            "timestamp": moment(LEAP_DAY),
            "properties": {
                "revenue": 19.99,
                "currency": "EUR",
                "first_name": "not a trait here",
                "products": [{"sku": "p-1", "tags": []}, {"sku": "p-2", "tags": [[1], {}]}],
                "deep": {"deeper": {"deepest": {"empty": {}, "nothing": None}}},
                "shipped": moment(LEAP_DAY),
                "list": [moment(LEAP_DAY)],
                "": "no name",
                "a.b": {"$set": 1},
            },
        },
        {
            "userId": "u-1",
            "event": "Order Completed",
            "properties": {
                "revenue": 19.99,
                "currency": "EUR",
                "first_name": "not a trait here",
                "products": [{"sku": "p-1", "tags": []}, {"sku": "p-2", "tags": [[1], {}]}],
                "deep": {"deeper": {"deepest": {"empty": {}, "nothing": None}}},
                "shipped": _A_LEAP_DAY,
                "list": [_A_LEAP_DAY],
                "": "no name",
                "a.b": {"$set": 1},
            },
        },
    ),
    Call(
        "track",
        {"userId": _WORDS, "event": _WORDS, "properties": {_WORDS: _WORDS}},
        {"userId": _WORDS, "event": _WORDS, "properties": {_WORDS: _WORDS}},
    ),
    Call(
        "track",
        {"anonymousId": "a-1", "event": "Numbers", "properties": {"n": [0, -1, 9_007_199_254_740_991, 0.1, 1e-7]}},
        {"anonymousId": "a-1", "event": "Numbers", "properties": {"n": [0, -1, 9_007_199_254_740_991, 0.1, 1e-7]}},
    ),
    Call(
        "track",
        {
            "userId": "u-1",
            "event": "With Surroundings",
            "context": {
                "ip": "203.0.113.9",
                "userAgent": "Mozilla/5.0 (X11)",
                "locale": "de-CH",
                "page": {"url": "https://example.com/ü?q=1", "referrer": ""},
                "traits": {"Email": "ada@example.com", "nick name": "A"},
                "device": {"id": 7},
                "seen": moment(LEAP_DAY),
            },
        },
        {
            "userId": "u-1",
            "event": "With Surroundings",
            "properties": {},
            "context": {
                "ip": "203.0.113.9",
                "userAgent": "Mozilla/5.0 (X11)",
                "locale": "de-CH",
                "page": {"url": "https://example.com/ü?q=1", "referrer": ""},
                "traits": {"email": "ada@example.com", "nick name": "A"},
                "device": {"id": 7},
                "seen": _A_LEAP_DAY,
            },
        },
    ),
    Call(
        "track",
        {"userId": "u-1", "event": "Own Id", "messageId": "my own id 1"},
        {"userId": "u-1", "event": "Own Id", "properties": {}},
    ),
    Call(
        "page",
        {"userId": "u-1", "name": "Pricing", "properties": {"url": "https://example.com/p", "title": "Price"}},
        {"userId": "u-1", "name": "Pricing", "properties": {"url": "https://example.com/p", "title": "Price"}},
    ),
    Call(
        "page",
        {"anonymousId": "a-1", "category": "Docs", "name": "Start", "timestamp": moment("1999-12-31T23:59:59.000Z")},
        {"anonymousId": "a-1", "category": "Docs", "name": "Start", "properties": {}},
        ("python",),
    ),
    Call(  # this client writes the category of a page twice
        "page",
        {"anonymousId": "a-1", "category": "Docs", "name": "Start", "timestamp": moment("1999-12-31T23:59:59.000Z")},
        {"anonymousId": "a-1", "category": "Docs", "name": "Start", "properties": {"category": "Docs"}},
        ("node",),
    ),
    Call("page", {"userId": "u-1"}, {"userId": "u-1", "properties": {}}),
    Call(
        "screen",
        {"userId": "u-1", "category": "Shop", "name": "Basket", "properties": {"items": 3}},
        {"userId": "u-1", "category": "Shop", "name": "Basket", "properties": {"items": 3}},
    ),
    Call("alias", {"previousId": "a-1", "userId": "u-1"}, {"previousId": "a-1", "userId": "u-1"}),
    Call("alias", {"previousId": 1001, "userId": "u-1"}, {"previousId": "1001", "userId": "u-1"}),
    # `integrations`: the destination is called hook
    Call(
        "track",
        {"userId": "u-1", "event": "Nowhere", "integrations": {"All": False}},
        {"userId": "u-1", "event": "Nowhere", "properties": {}, "integrations": {"All": False}},
        goes_to_hook=False,
    ),
    Call(
        "track",
        {"userId": "u-1", "event": "Not There", "integrations": {"hook": False}},
        {"userId": "u-1", "event": "Not There", "properties": {}, "integrations": {"hook": False}},
        goes_to_hook=False,
    ),
    Call(
        "track",
        {"userId": "u-1", "event": "Only There", "integrations": {"All": False, "hook": {"option": 1}}},
        {
            "userId": "u-1",
            "event": "Only There",
            "properties": {},
            "integrations": {"All": False, "hook": {"option": 1}},
        },
    ),
    Call(
        "track",
        {"userId": "u-1", "event": "Elsewhere", "integrations": {"hool": False, "Hook": False}},
        {"userId": "u-1", "event": "Elsewhere", "properties": {}, "integrations": {"hool": False, "Hook": False}},
    ),
    # what only one of them can say
    Call("track", {"userId": 42, "event": "A"}, {"userId": "42", "event": "A", "properties": {}}, ("python",)),
    Call(
        "track",
        {
            "userId": "u-1",
            "event": "Types of Python",
            "properties": {"price": {"$decimal": "12.50"}, "day": {"$day": "1990-04-05"}, "big": 2**63, "huge": 2**70},
        },
        {
            "userId": "u-1",
            "event": "Types of Python",
            "properties": {"price": 12.5, "day": "1990-04-05", "big": 2**63, "huge": 2**70},
        },
        ("python",),
    ),
)
