"""What most paths have in common: the keys, the headers, and Turnout's own words for what went wrong."""

from collector.answers import LONGEST_WAIT
from collector.openapi.parts import TEXT, WHOLE, Json, answered, record, reply, shape

SECURITY: dict[str, Json] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The write key as the user name, with any password or none. Keys may contain colons: the user "
        "name is everything before the last one.",
    },
    "header": {"type": "apiKey", "in": "header", "name": "X-Write-Key", "description": "The write key."},
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "writeKey",
        "description": "The write key; `writekey` works too. Prefer the others: URLs end up in the logs of proxies.",
    },
}

BY_KEY: tuple[Json, ...] = ({"basic": []}, {"header": []}, {"query": []}, {"token": []}, {})
"""The last two: a key in the body, with an access token beside it or without."""

HEADERS: dict[str, Json] = {
    "Retry-After": {
        "description": "In so many seconds it is worth trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST_WAIT},
    },
    "X-RateLimit-Reset": {
        "description": "The same wait in seconds, for SDKs that look here.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Request-Id": {"description": "Another one for each answer.", "required": True, "schema": TEXT},
    "Allow": {"description": "The methods that this path takes.", "schema": TEXT},
    "Cache-Control": {"description": "How long the answer may be kept.", "schema": TEXT},
    "ETag": {"description": "Names this very content: send it back in If-None-Match.", "schema": TEXT},
    "Location": {"description": "Where to look instead.", "schema": TEXT},
    "Access-Control-Allow-Origin": {"description": "The `Origin` of the request.", "schema": TEXT},
    "Access-Control-Allow-Methods": {"description": "For all paths alike.", "schema": TEXT},
    "Access-Control-Allow-Headers": {"description": "Those that were asked for.", "schema": TEXT},
    "Access-Control-Max-Age": {"description": "For so many seconds nobody need ask again.", "schema": WHOLE},
}

_PREFLIGHT = tuple(name for name in HEADERS if name.startswith("Access-Control"))


def problem(*codes: str) -> Json:
    """The one shape of an error, with one of these codes."""
    return {"allOf": [shape("Problem"), {"properties": {"code": {"enum": list(codes)}}}]}


SCHEMAS: dict[str, Json] = {
    "Success": record({"success": {"const": True}}),
    "Taken": {
        **record(
            {"success": {"const": True}},
            accepted={**WHOLE, "description": "How many messages are stored."},
            rejected={"type": "array", "minItems": 1, "items": shape("Rejected")},
        ),
        "description": "With `rejected`: stored in part. Those that are not listed are stored.",
        "dependentRequired": {"rejected": ["accepted"], "accepted": ["rejected"]},
    },
    "Rejected": record(
        {
            "index": {**WHOLE, "description": "Its place in the batch, from 0."},
            "code": TEXT,
            "message": TEXT,
            "path": {**TEXT, "description": "Dotted; empty for the message as a whole."},
        },
        messageId=TEXT,
    ),
    "Violation": {
        "description": "One rule that a message breaks.",
        **record(dict.fromkeys(("path", "rule", "expected", "found", "code", "message"), TEXT)),
    },
    "Problem": {
        "description": "What went wrong. SDKs differ in which of the texts they read: all are there, and `error` "
        "repeats `message`.",
        **record(
            {"success": {"const": False}, "code": TEXT, "message": TEXT, "error": TEXT},
            violations={"type": "array", "minItems": 1, "items": shape("Violation")},
            accepted=WHOLE,
            rejected={"type": "array", "minItems": 1, "items": shape("Rejected")},
        ),
    },
}

_WORDS = {
    400: "Nothing is stored, and sending it again would not help. What came with a good key is kept in quarantine, "
    "unless it is larger than the limit.",
    401: "No source can be told by this key, or the source wants an access token that is its own.",
    403: "The source takes nothing from scripts of this site.",
    429: "More than the rate of the source, or too many unknown keys from one address. Nothing is stored.",
    500: "A bug in Turnout; nothing is stored.",
    503: "Nothing is stored: the log takes nothing now, the body was not complete in time, or there are too many large "
    "ones.",
    511: "The access token has expired: a new one is wanted.",
}
"""What may be answered to whoever sends messages, besides success."""
_HEADERS = {429: ("Retry-After", "X-RateLimit-Reset"), 503: ("Retry-After",)}


def troubles(dialect: str, schema: Json, kind: str = "application/json", **others: Json) -> dict[str, Json]:
    """The components of all that may go wrong, in the shape of a dialect; `others` by name, for those that differ."""
    common = {
        f"{dialect}{status}": reply(words, schema, *_HEADERS.get(status, ()), kind=kind)
        for status, words in _WORDS.items()
    }
    return {**common, **others}


def said_by(dialect: str) -> dict[int, Json]:
    """What `troubles` has made, by status."""
    return {status: answered(f"{dialect}{status}") for status in _WORDS}


REPLIES: dict[str, Json] = {
    "Stored": reply("The message is stored, as durably as the configuration says.", shape("Success")),
    "Taken": reply("The messages are stored; or those that are not listed in `rejected`.", shape("Taken")),
    "Preflight": reply("Granted, whatever it asks for.", None, *_PREFLIGHT),
    "Hidden": reply("Nothing is here.", problem("not_found")),
    **troubles("Segment", shape("Problem")),
}
