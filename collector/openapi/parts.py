"""The pieces that the description of the HTTP API is put together from."""

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]

NO_KEY: tuple[Json, ...] = ({},)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What one path does on one method."""

    path: str
    name: str
    """How a program calls it: the `operationId`."""
    summary: str
    method: str = "post"
    also: tuple[str, ...] = ()
    """Paths that do the same, besides those that `routes` tells."""
    about: str = ""
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    replies: Mapping[int, Json]
    """By status. What all paths answer alike, the document adds."""
    security: tuple[Json, ...] = NO_KEY
    """Each a way to say who is asking; an empty one says that it can be said elsewhere, or need not be."""


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs together: the operations of one dialect, and the shapes they need."""

    title: str
    about: str
    page: str
    """Where the documentation goes on, from docs/."""
    operations: tuple[Operation, ...]
    schemas: Mapping[str, Json] = {}
    replies: Mapping[str, Json] = {}
    security: Mapping[str, Json] = {}
    closed: bool = False
    """Scripts of browsers may not ask."""


def shape(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def answered(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


def reply(words: str, schema: Json | None = None, *headers: str, kind: str = "application/json") -> Json:
    """An answer with a body of this schema; `headers` are named in `shared.HEADERS`."""
    said: Json = {"description": words}
    if headers:
        said["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if schema is not None:
        said["content"] = {kind: {"schema": schema}}
    return said


def image(words: str) -> Json:
    return reply(words, {"type": "string", "contentMediaType": "image/gif"}, kind="image/gif")


def text(words: str, schema: Json | None = None, *headers: str) -> Json:
    return reply(words, schema or {"type": "string"}, *headers, kind="text/plain")


def json_body(schema: Json, example: object, about: str = "") -> Json:
    return {
        "description": about or "JSON in UTF-8; no Content-Type is needed.",
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def query(name: str, about: str, schema: Json | None = None, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "description": about, "required": required, "schema": schema or TEXT}


def in_path(name: str, about: str, schema: Json | None = None) -> Json:
    return {"name": name, "in": "path", "description": about, "required": True, "schema": schema or TEXT}


def header(name: str, about: str, schema: Json | None = None) -> Json:
    return {"name": name, "in": "header", "description": about, "required": False, "schema": schema or TEXT}


def record(required: Mapping[str, Json], **others: Json) -> Json:
    """An object with these members, and whatever else."""
    return {"type": "object", "required": list(required), "properties": {**required, **others}}


TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer", "minimum": 0}
ANYTHING: Json = {"type": "object"}
