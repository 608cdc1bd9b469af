"""Dopt's users API."""

from collections.abc import Iterator

from collector.dialects.dopt import MOST_USERS
from collector.openapi.parts import (
    ANYTHING,
    TEXT,
    Chapter,
    Json,
    Operation,
    in_path,
    json_body,
    record,
    reply,
    shape,
)
from collector.openapi.shared import said_by, troubles
from schemas.limits import Limits

_ID: Json = {"type": ["string", "number"], "minLength": 1}
_PROPERTIES: Json = {"type": ["object", "null"], "description": "Written one by one: what is not named stays."}

_SCHEMAS: dict[str, Json] = {
    "DoptGroup": record({"identifier": _ID}, properties=_PROPERTIES),
    "DoptUser": record(
        {"identifier": _ID},
        properties=_PROPERTIES,
        groups={"type": ["array", "null"], "items": shape("DoptGroup")},
    ),
    "DoptFlatUser": {
        **record({"__dopt_identifier": _ID}),
        "description": "All other members are properties of the user.",
    },
    "DoptUsers": {
        "type": "array",
        "maxItems": MOST_USERS,
        "items": {"anyOf": [shape("DoptUser"), shape("DoptFlatUser")]},
    },
    "DoptSegment": {
        "oneOf": [{"allOf": [shape(kind), record({"type": {"const": kind}})]} for kind in ("identify", "group")],
    },
    "DoptCount": record({"count": {"type": "integer", "minimum": 0}}),
    "DoptProblem": record(
        {
            "code": {
                "enum": ["invalid_request_error", "unauthorized_error", "not_found_error", "internal_server_error"]
            },
            "details": TEXT,
        }
    ),
}
_TROUBLES = troubles("Dopt", shape("DoptProblem"))
_KEY: tuple[Json, ...] = ({"dopt": []}, {"basic": []}, {"header": []}, {"query": []})
_ANN: Json = {"identifier": "u1", "properties": {"email": "ann@example.com"}}
_COUNT = reply("All of them are stored.", shape("DoptCount"))
_STORED = reply("It is stored.", shape("Success"))


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Dopt",
        about="Dopt's users API, of both its generations.",
        page="switching/dopt.md",
        operations=(*_singles(), *_many()),
        schemas=_SCHEMAS,
        replies=_TROUBLES,
        security={"dopt": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The write key."}},
    )


def _singles() -> Iterator[Operation]:
    yield _operation("/identify", "dopt_user", "A user, and its groups", shape("DoptUser"), _ANN, _STORED)
    acme = {"identifier": "acme", "properties": {"name": "Acme"}}
    yield _operation("/identify/group", "dopt_group", "A group alone", shape("DoptGroup"), acme, _STORED)
    yield _operation(
        "/identify/segment",
        "dopt_segment",
        "An identify or a group as Segment sends them",
        shape("DoptSegment"),
        {"type": "identify", "userId": "u1", "traits": {"email": "ann@example.com"}},
        _COUNT,
    )
    yield _operation(
        "/identify/{identifier}",
        "dopt_user_of_path",
        "A user, all of whose properties are the body",
        ANYTHING,
        {"email": "ann@example.com"},
        _STORED,
        in_path("identifier", "The user, with percent signs for what paths cannot hold.", {**TEXT, "minLength": 1}),
    )


def _many() -> Iterator[Operation]:
    flat = [{"__dopt_identifier": "u1", "email": "ann@example.com"}]
    users = f"At most {MOST_USERS} users, each judged alone"
    yield _operation("/identify/batch", "dopt_batch", users, shape("DoptUsers"), [_ANN], _COUNT)
    yield _operation("/identify/bulk", "dopt_bulk", f"{users}; the older form", shape("DoptUsers"), flat, _COUNT)


def _operation(
    path: str, name: str, summary: str, body: Json, example: object, success: Json, *parameters: Json
) -> Operation:
    return Operation(
        path=path,
        name=name,
        summary=summary,
        parameters=parameters,
        body=json_body(body, example),
        replies={200: success, **said_by("Dopt")},
        security=_KEY,
    )
