"""Segment's own HTTP API, the mother tongue."""

from collections.abc import Iterator

from collector.openapi.parts import Chapter, Json, Operation, answered, header, shape
from collector.openapi.shared import BY_KEY, said_by
from schemas.catalog import KINDS
from schemas.limits import Limits

EXAMPLES: dict[str, Json] = {
    "identify": {"userId": "u1", "traits": {"email": "ann@example.com"}},
    "group": {"userId": "u1", "groupId": "acme", "traits": {"plan": "pro"}},
    "track": {"userId": "u1", "event": "Signed Up", "properties": {"plan": "pro"}},
    "page": {"anonymousId": "a1", "name": "Home"},
    "screen": {"anonymousId": "a1", "name": "Start"},
    "alias": {"userId": "u1", "previousId": "a1"},
}
_BATCH_EXAMPLE: Json = {"batch": [{"type": kind, **example} for kind, example in EXAMPLES.items()]}

_ENCODING = header(
    "Content-Encoding",
    "How the body is compressed.",
    {"enum": ["gzip", "x-gzip", "deflate", "identity"]},
)


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Segment",
        about="The HTTP API of Segment, as its SDKs speak it.",
        page="http-api.md",
        operations=(*_singles(limits), _batch(limits)),
    )


def _singles(limits: Limits) -> Iterator[Operation]:
    for kind in KINDS:
        yield Operation(
            path=f"/v1/{kind}",
            name=kind,
            summary=f"One {kind} message",
            about=f"At most {limits.message_bytes:,} bytes. The path's type wins over a `type` in the body.",
            parameters=(_ENCODING,),
            body=_body(shape(kind), EXAMPLES[kind]),
            replies={200: answered("Stored"), **said_by("Segment")},
            security=BY_KEY,
        )


def _batch(limits: Limits) -> Operation:
    return Operation(
        path="/v1/batch",
        name="batch",
        summary="Many messages, each with its type",
        about=f"At most {limits.batch_messages:,} messages of {limits.message_bytes:,} bytes each, and "
        f"{limits.body_bytes:,} bytes in all, also after inflating. A bad message does not spoil the others.",
        parameters=(_ENCODING,),
        body=_body(shape("batch"), _BATCH_EXAMPLE),
        replies={200: answered("Taken"), **said_by("Segment")},
        security=BY_KEY,
    )


def _body(schema: Json, example: Json) -> Json:
    as_text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {
        "description": "JSON in UTF-8, whatever its Content-Type says, or if it says nothing. `writeKey` in it is one "
        "of the places for the key.",
        "required": True,
        "content": {
            "application/json": {"schema": schema, "example": example},
            "text/plain": {"schema": as_text},
        },
    }
