"""Jitsu's API."""

from collections.abc import Iterator

from collector.openapi.parts import (
    TEXT,
    WHOLE,
    Chapter,
    Json,
    Operation,
    header,
    image,
    json_body,
    query,
    record,
    reply,
    shape,
)
from collector.openapi.segment import EXAMPLES
from collector.openapi.shared import BY_KEY, said_by, troubles
from schemas.catalog import KINDS
from schemas.limits import Limits

_COUNTS: Json = record({"receivedEvents": WHOLE, "okEvents": WHOLE, "errors": {"type": "array", "items": TEXT}})
_SCHEMAS: dict[str, Json] = {
    "JitsuTaken": record({"ok": {"const": True}}),
    "JitsuCounts": {"allOf": [record({"ok": {"type": "boolean"}}), _COUNTS]},
    "JitsuProblem": record({"ok": {"const": False}, "code": TEXT, "message": TEXT, "error": TEXT}),
}
_STARTS = ("/api/s", "/api/s/s2s")
_HEADERS = (
    header(
        "X-IP-Policy",
        "What becomes of the visitor's address; the stricter of this and the source's setting holds.",
        {"enum": ["keep", "remove", "stripLastOctet"]},
    ),
)
_TAKEN = reply("The message is stored.", shape("JitsuTaken"))


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Jitsu",
        about="Jitsu's API, for browsers (`/api/s`) and for servers (`/api/s/s2s`).",
        page="switching/jitsu.md",
        operations=(*_singles(), _any(), _batch(limits), *_pixels()),
        schemas=_SCHEMAS,
        replies=troubles("Jitsu", shape("JitsuProblem")),
    )


def _ways(name: str) -> tuple[str, ...]:
    """The paths of this name, and of its first letter."""
    return tuple(f"{start}/{one}" for one in (name, name[0]) for start in _STARTS)


def _singles() -> Iterator[Operation]:
    for kind in KINDS:
        main, *others = _ways(kind)
        yield Operation(
            path=main,
            also=tuple(others),
            name=f"jitsu_{kind}",
            summary=f"One {kind} message",
            parameters=_HEADERS,
            body=json_body(shape(kind), EXAMPLES[kind]),
            replies={200: _TAKEN, **said_by("Jitsu")},
            security=BY_KEY,
        )


def _any() -> Operation:
    main, *others = _ways("event")
    return Operation(
        path=main,
        also=tuple(others),
        name="jitsu_event",
        summary="One message that says its type itself",
        parameters=_HEADERS,
        body=json_body({"$ref": "#/components/schemas/batch/$defs/typed"}, {"type": "track", **EXAMPLES["track"]}),
        replies={200: _TAKEN, **said_by("Jitsu")},
        security=BY_KEY,
    )


def _batch(limits: Limits) -> Operation:
    refused = {"anyOf": [shape("JitsuCounts"), shape("JitsuProblem")]}
    return Operation(
        path="/api/s/s2s/batch",
        also=("/api/s/batch",),
        name="jitsu_batch",
        summary="Many messages, each with its type",
        about=f"At most {limits.batch_messages:,} messages, each judged alone.",
        parameters=_HEADERS,
        body=json_body(shape("batch"), {"batch": [{"type": "track", **EXAMPLES["track"]}]}),
        replies={
            200: reply("How many are stored, and what is wrong with the others.", shape("JitsuCounts")),
            **said_by("Jitsu"),
            400: reply("Nothing is stored.", refused),
        },
        security=BY_KEY,
    )


def _pixels() -> Iterator[Operation]:
    parameters = (
        query("data", "The message as JSON in base64."),
        query("writeKey", "The write key; a header does, too."),
        query("userId", "Any member of the message may be given so; dots make objects."),
    )
    for kind in (*KINDS, "event"):
        yield Operation(
            path=f"/api/px/{kind}",
            also=(f"/api/px/{kind[0]}",),
            method="get",
            name=f"jitsu_pixel_{kind}",
            summary="One message in the query",
            parameters=parameters,
            replies={200: image("A transparent image of one pixel, whatever became of the message.")},
        )
