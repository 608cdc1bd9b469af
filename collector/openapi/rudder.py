"""RudderStack's API where it goes beyond Segment's."""

from collections.abc import Iterator

from collector.openapi.parts import (
    ANYTHING,
    TEXT,
    Chapter,
    Json,
    Operation,
    answered,
    image,
    json_body,
    query,
    record,
    reply,
    shape,
)
from collector.openapi.shared import BY_KEY, said_by
from schemas.limits import Limits

_NAMED: Json = {"type": "string", "minLength": 1}
_IDENTITY: Json = record({"type": _NAMED, "value": _NAMED})
_PAIR: Json = {"type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": True, "items": _IDENTITY}
_OF_SOMEBODY: Json = {"contains": {"properties": {"type": {"enum": ["userId", "anonymousId"]}}}}
_SCHEMAS: dict[str, Json] = {
    "Merge": {
        "description": "Two identities; one of them, or what stands beside them, is a user id or an anonymousId.",
        **record({"mergeProperties": _PAIR}),
        "anyOf": [
            record({"userId": _NAMED}),
            record({"anonymousId": _NAMED}),
            record({"mergeProperties": _OF_SOMEBODY}),
        ],
    },
    "SourceConfig": record(
        {
            "source": record(
                {
                    "id": TEXT,
                    "name": TEXT,
                    "enabled": {"const": True},
                    "config": ANYTHING,
                    "destinations": {"type": "array", "maxItems": 0},
                }
            )
        }
    ),
}
_FLAT = (
    query("writeKey", "The write key."),
    query("anonymousId", "Quotes around it are taken away."),
    query("userId", "Any member of the message may be given so; dots make objects: `context.page.url=…`."),
)


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="RudderStack",
        about="RudderStack's SDKs speak Segment's API; these paths are theirs besides.",
        page="switching/rudderstack.md",
        operations=(_merge(), _beacon(limits), _source(), *_pixels()),
        schemas=_SCHEMAS,
    )


def _merge() -> Operation:
    pair = [{"type": "userId", "value": "u1"}, {"type": "anonymousId", "value": "a1"}]
    return Operation(
        path="/v1/merge",
        name="rudder_merge",
        summary="Two identities are of one person",
        body=json_body(shape("Merge"), {"mergeProperties": pair}),
        replies={200: answered("Stored"), **said_by("Segment")},
        security=BY_KEY,
    )


def _beacon(limits: Limits) -> Operation:
    return Operation(
        path="/beacon/v1/batch",
        name="rudder_beacon",
        summary="A batch that a page sends when it is left",
        about=f"At most {limits.batch_messages:,} messages. Beacons can set no headers: the key is in the query.",
        body=json_body(shape("batch"), {"batch": [{"type": "track", "userId": "u1", "event": "Signed Up"}]}),
        replies={200: answered("Taken"), **said_by("Segment")},
        security=BY_KEY,
    )


def _source() -> Operation:
    return Operation(
        path="/sourceConfig",
        method="get",
        name="rudder_source",
        summary="What RudderStack's library for browsers asks before it sends",
        replies={
            200: reply("Send, with no destination in the browser.", shape("SourceConfig"), "Cache-Control"),
            **said_by("Segment"),
        },
        security=({"basic": []}, {"header": []}, {"query": []}),
    )


def _pixels() -> Iterator[Operation]:
    for kind in ("track", "page"):
        yield Operation(
            path=f"/pixel/v1/{kind}",
            method="get",
            name=f"rudder_pixel_{kind}",
            summary=f"One {kind} message in the query",
            parameters=_FLAT,
            replies={200: image("A transparent image of one pixel, whatever became of the message.")},
        )
