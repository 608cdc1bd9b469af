"""What Turnout serves besides taking messages: its health, its schemas, this document."""

from collections.abc import Iterator

from collector import metrics_route
from collector.openapi.parts import (
    ANYTHING,
    TEXT,
    WHOLE,
    Chapter,
    Json,
    Operation,
    answered,
    in_path,
    json_body,
    record,
    reply,
    shape,
)
from collector.openapi.shared import problem, said_by
from schemas import catalog
from schemas.limits import Limits

_SINCE: Json = {"type": ["number", "null"]}
_SPOOL: Json = {
    "description": "What waits on the disk of this collector for the log.",
    **record({"messages": WHOLE, "bytes": WHOLE, "since": _SINCE, "reason": TEXT}),
}
_FACTS: dict[str, Json] = {
    "spool": _SPOOL,
    "config": {**TEXT, "description": "The version of the configuration in force."},
    "configNote": {**TEXT, "description": "Why a changed one was refused."},
    "workers": {"type": ["object", "null"], "description": "How many are `alive`, which are `silent`."},
}
_ALARM: Json = record({"kind": TEXT, "what": TEXT, "words": TEXT, "since": _SINCE})

_SCHEMAS: dict[str, Json] = {
    "Live": record({"status": {"const": "live"}}),
    "Ready": record({"status": {"const": "ready"}}, **_FACTS),
    "Unready": {
        "allOf": [problem("not_ready"), record({"reasons": {"type": "array", "items": TEXT}}, **_FACTS)],
    },
    "Alarms": record({"alarms": {"type": "array", "items": _ALARM}}),
    "SchemaList": record({"schemas": {"type": "object", "additionalProperties": TEXT}, "openapi": TEXT}),
}


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Health and schemas",
        about="For load balancers, for whoever watches, and for programs that want to know the shapes beforehand.",
        page="http-api.md#health-schemas-and-the-openapi-document",
        operations=(*_health(), *_descriptions(), _metrics()),
        schemas=_SCHEMAS,
    )


def _health() -> Iterator[Operation]:
    fresh = "Cache-Control"
    yield Operation(
        path="/health/live",
        method="get",
        name="live",
        summary="Whether the process answers",
        replies={200: reply("It does.", shape("Live"), fresh)},
    )
    yield Operation(
        path="/health/ready",
        method="get",
        name="ready",
        summary="Whether messages can be stored",
        replies={200: reply("They can.", shape("Ready"), fresh), 503: reply("They cannot.", shape("Unready"), fresh)},
    )
    yield Operation(
        path="/health/alarms",
        method="get",
        name="alarms",
        summary="Whether all is well with the deliveries too",
        replies={
            200: reply("It is: the list is empty.", shape("Alarms"), fresh),
            503: reply("It is not.", shape("Alarms"), fresh),
        },
    )


def _descriptions() -> Iterator[Operation]:
    yield Operation(
        path="/schemas/",
        also=("/schemas",),
        method="get",
        name="schemas",
        summary="The JSON Schemas that messages are held against, by name",
        replies={200: reply("Their paths.", shape("SchemaList"))},
    )
    yield Operation(
        path="/schemas/{name}.json",
        method="get",
        name="schema",
        summary="One JSON Schema, of draft 2020-12",
        parameters=(in_path("name", "Which.", {"enum": list(catalog.names())}),),
        replies={200: reply("The schema.", ANYTHING, kind="application/schema+json"), 404: answered("Hidden")},
    )
    yield Operation(
        path="/openapi.json",
        method="get",
        name="openapi",
        summary="This document",
        replies={200: reply("OpenAPI 3.1, with the limits in force.", ANYTHING)},
    )


def _metrics() -> Operation:
    main, *others = (form for path in metrics_route.PATHS for form in (path, f"{path}/"))
    said = said_by("Segment")
    return Operation(
        path=main,
        also=tuple(others),
        name="metrics",
        summary="Figures that SDKs send about themselves: kept nowhere",
        about=f"No key is needed. At most {metrics_route.MOST_BYTES:,} bytes, in {metrics_route.SECONDS:g} seconds.",
        body=json_body({}, {"series": []}, "Whatever it is, nobody looks at it."),
        replies={200: reply("Thank you.", shape("Success")), 400: said[400], 503: said[503]},
    )
