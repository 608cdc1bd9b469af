"""Messages of every type to try an adapter with: minimal, full, anonymous and hostile."""

from typing import Any

import msgspec

from schemas.envelope import Envelope
from schemas.message import decode_head

TYPES = ("identify", "track", "page", "screen", "group", "alias")
WAYS = ("minimal", "full", "anonymous", "hostile")

_TIME = "2024-02-29T23:59:59.999Z"

_NEEDED: dict[str, dict[str, Any]] = {
    "identify": {},
    "track": {"event": "Order Completed"},
    "page": {},
    "screen": {},
    "group": {"groupId": "g1"},
    "alias": {"previousId": "a1"},
}

_FULL: dict[str, dict[str, Any]] = {
    "identify": {"traits": {"email": "ada@example.com", "name": "Ada Lovelace", "address": {"city": "London"}}},
    "track": {"properties": {"revenue": 12.5, "currency": "EUR", "products": [{"sku": "1", "price": 12.5}]}},
    "page": {"name": "Home", "category": "Docs", "properties": {"url": "https://example.com/?q=1", "title": "Home"}},
    "screen": {"name": "Home", "category": "Docs", "properties": {"depth": 3}},
    "group": {"traits": {"name": "Initech", "employees": 329, "plan": "enterprise"}},
    "alias": {},
}

_CONTEXT = {
    "ip": "203.0.113.7",
    "userAgent": "Mozilla/5.0",
    "locale": "en-US",
    "page": {"url": "https://example.com/", "referrer": ""},
    "library": {"name": "analytics.js", "version": "4.0.0"},
    "device": {"id": "d1", "type": "ios"},
    "traits": {"plan": "free"},
}

_HOSTILE_TEXT = "\x00\r\nX-Injected: yes\r\n\r\n\u202egnp.exe\u202c 😀 ' \" <b> ${x} {{y}} %00 ../../"


def samples() -> dict[str, Envelope]:
    """All of them, by a name such as `track hostile`."""
    kinds = [(kind, way) for kind in TYPES for way in WAYS if (kind, way) != ("alias", "anonymous")]
    return {
        f"{kind} {way}": envelope_of(message(kind, way), position=number) for number, (kind, way) in enumerate(kinds)
    }


def message(kind: str, way: str) -> dict[str, Any]:
    """A message as the collector stores it."""
    base = {
        "type": kind,
        "messageId": f"{kind}-{way}",
        "timestamp": _TIME,
        "originalTimestamp": _TIME,
        "receivedAt": _TIME,
        "context": {},
    }
    match way:
        case "anonymous":
            return base | {"anonymousId": f"anonymous-{kind}"} | _NEEDED[kind]
        case "full":
            ids = {"userId": f"full-{kind}", "anonymousId": "a1", "sentAt": _TIME}
            return base | ids | _NEEDED[kind] | _FULL[kind] | {"context": _CONTEXT, "integrations": {"All": True}}
        case "hostile":
            return base | _NEEDED[kind] | _hostile(kind)
    return base | {"userId": f"minimal-{kind}"} | _NEEDED[kind]


def envelope_of(stored: dict[str, Any], *, position: int = 0, attempt: int = 1) -> Envelope:
    body = msgspec.json.encode(stored)
    return Envelope(
        source="web",
        body=body,
        head=decode_head(body),
        lane="p00",
        position=f"1700000000000-{position}/0",
        attempt=attempt,
    )


def _hostile(kind: str) -> dict[str, Any]:
    """Wrong in every way that the schemas let pass."""
    nested: Any = _HOSTILE_TEXT
    for _ in range(50):
        nested = {"deeper": [nested]}
    free = {
        "nested": nested,
        "huge": 10**30,
        "tiny": -1.7e308,
        "nothing": None,
        "": "",
        _HOSTILE_TEXT: _HOSTILE_TEXT,
        "email": ["not", {"text": 1}],
        "name": 7,
        "revenue": "$1,00€",
        "address": "no object",
        "long": "é" * 5_000,
    }
    texts = {"userId": _HOSTILE_TEXT, "messageId": _HOSTILE_TEXT[:100], "context": {"page": 5, "traits": [], **free}}
    if kind == "track":
        texts["event"] = _HOSTILE_TEXT
    if kind in ("page", "screen"):
        texts |= {"name": _HOSTILE_TEXT, "category": _HOSTILE_TEXT}
    if kind == "group":
        texts["groupId"] = _HOSTILE_TEXT
    if kind == "alias":
        return texts | {"previousId": _HOSTILE_TEXT}
    return texts | {"traits" if kind in ("identify", "group") else "properties": free}
