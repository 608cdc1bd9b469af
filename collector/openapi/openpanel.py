"""OpenPanel's API, of today and of its first SDKs."""

from collections.abc import Iterator

from collector.openapi.parts import (
    TEXT,
    WHOLE,
    Chapter,
    Json,
    Operation,
    header,
    json_body,
    record,
    reply,
    shape,
    text,
)
from collector.openapi.shared import said_by, troubles
from schemas.limits import Limits

_ID: Json = {"type": ["string", "number"], "minLength": 1}
_MAYBE_ID: Json = {"type": ["string", "number", "null"]}
_NAMED: Json = {"type": "string", "minLength": 1}
_OBJECT: Json = {"type": ["object", "null"]}
_IDS: Json = {"type": "array", "items": _ID, "minItems": 1, "maxItems": 100}
_CHANGE: Json = record(
    {"profileId": _ID, "property": _NAMED}, value={"type": ["number", "null"], "exclusiveMinimum": 0}
)

_EVENT: Json = record(
    {"name": {**_NAMED, "not": {"enum": ["session_start", "session_end"]}}},
    properties=_OBJECT,
    profileId=_MAYBE_ID,
    groups={"type": ["array", "null"]},
)
_PERSON: Json = record({"profileId": _ID}, properties=_OBJECT)
_PAYLOADS: dict[str, Json] = {
    "track": _EVENT,
    "identify": _PERSON,
    "alias": record({"profileId": _ID, "alias": _ID}),
    "group": record({"id": _ID, "type": _NAMED, "name": _NAMED}, properties=_OBJECT),
    "assign_group": record({"groupIds": _IDS}, profileId=_MAYBE_ID),
    "increment": _CHANGE,
    "decrement": _CHANGE,
    "replay": record(
        {
            "chunk_index": {"type": "integer", "minimum": 0, "maximum": 65_535},
            "events_count": {"type": "integer", "minimum": 1},
            "payload": {"type": "string", "minLength": 1, "maxLength": 2_097_152},
        }
    ),
}

_SCHEMAS: dict[str, Json] = {
    "OpenPanelTrack": {
        "oneOf": [record({"type": {"const": kind}, "payload": payload}) for kind, payload in _PAYLOADS.items()],
    },
    "OpenPanelEvent": _EVENT,
    "OpenPanelPerson": _PERSON,
    "OpenPanelChange": _CHANGE,
    "OpenPanelVisitor": {
        "description": "The SDK takes both over from every answer.",
        **record({"deviceId": TEXT, "sessionId": TEXT}, message=TEXT, rejected={"type": "array"}),
    },
    "OpenPanelProblem": record({"status": WHOLE, "error": TEXT, "message": TEXT, "code": TEXT}),
}
_TROUBLES = troubles(
    "OpenPanel",
    shape("OpenPanelProblem"),
    OpenPanel401=text("No source can be told by this client id, or the secret is wrong."),
)
_KEY: tuple[Json, ...] = (
    {"openpanelClient": []},
    {"openpanelClient": [], "openpanelSecret": []},
    {"basic": []},
    {"header": []},
    {"query": []},
    {},
)
_SDK = (
    header("openpanel-sdk-name", "Becomes `context.library.name`."),
    header("openpanel-sdk-version", "Becomes `context.library.version`."),
)
_TAKEN = reply("It is stored.", shape("OpenPanelVisitor"))


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="OpenPanel",
        about="OpenPanel's API, of today and of its first SDKs.",
        page="switching/openpanel.md",
        operations=(*_today(), *_before()),
        schemas=_SCHEMAS,
        replies=_TROUBLES,
        security={
            "openpanelClient": _in_header("openpanel-client-id", "The write key."),
            "openpanelSecret": _in_header("openpanel-client-secret", "The secret, where the source has one."),
        },
    )


def _in_header(name: str, about: str) -> Json:
    return {"type": "apiKey", "in": "header", "name": name, "description": about}


def _today() -> Iterator[Operation]:
    example = {"type": "track", "payload": {"name": "Signed Up", "profileId": "u1", "properties": {"plan": "pro"}}}
    yield Operation(
        path="/track",
        also=("/api/track",),
        name="openpanel_track",
        summary="Everything, by its type",
        about="A recording of a session (`replay`) is checked and kept nowhere.",
        parameters=_SDK,
        body=json_body(shape("OpenPanelTrack"), example),
        replies={200: _TAKEN, **said_by("OpenPanel")},
        security=_KEY,
    )
    yield Operation(
        path="/track/device-id",
        also=("/api/track/device-id",),
        method="get",
        name="openpanel_device",
        summary="Which device and session the caller is",
        replies={
            200: reply("Both ids.", shape("OpenPanelVisitor")),
            **said_by("OpenPanel"),
            400: text("The address or the user agent is not known."),
        },
        security=_KEY,
    )


def _before() -> Iterator[Operation]:
    event = {"name": "Signed Up", "profileId": "u1"}
    person = {"profileId": "u1", "email": "ann@example.com"}
    visit = {"profileId": "u1", "property": "visits", "value": 1}
    said_ok, said_id = text("It is stored.", {"const": "ok"}), text("It is stored: the id of the profile.")
    yield _old("/event", "event", "An event", shape("OpenPanelEvent"), event, said_ok)
    yield _old("/profile", "profile", "Traits of a person", shape("OpenPanelPerson"), person, said_id)
    for kind in ("increment", "decrement"):
        words = f"A number among the traits of a person, {kind}ed"
        yield _old(f"/profile/{kind}", kind, words, shape("OpenPanelChange"), visit, said_id)


def _old(path: str, name: str, summary: str, body: Json, example: object, success: Json) -> Operation:
    return Operation(
        path=path,
        also=(f"/api{path}",),
        name=f"openpanel_old_{name}",
        summary=summary,
        parameters=_SDK,
        body=json_body(body, example),
        replies={202: success, **said_by("OpenPanel")},
        security=_KEY,
    )
