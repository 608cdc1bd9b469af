"""The questions about users and groups, in the shape of Segment's Profile API."""

from collections.abc import Iterator

from collector.openapi.parts import (
    ANYTHING,
    TEXT,
    WHOLE,
    Chapter,
    Json,
    Operation,
    answered,
    in_path,
    query,
    record,
    reply,
    shape,
)
from collector.profiles.asked import CLASSES, COLLECTION, MOST, MOST_LISTED, TYPES, USUAL
from destinations.profiles.node import KINDS
from schemas.limits import Limits

_PLACE = COLLECTION + "/{identifier}"
_OR_NULL: Json = {"type": ["string", "null"]}
_ID: Json = record(
    {"collection": {"enum": ["users", "accounts"]}, "type": TEXT, "id": TEXT, "encoding": {"const": "none"}},
    source_id=_OR_NULL,
    created_at=_OR_NULL,
    first_message_id=_OR_NULL,
)
_TRAIT: Json = record({"value": {}, "source_id": TEXT, "updated_at": TEXT})
_METADATA: Json = record(
    dict.fromkeys(
        (
            "created_at",
            "updated_at",
            "expires_at",
            "first_message_id",
            "first_source_id",
            "last_message_id",
            "last_source_id",
        ),
        _OR_NULL,
    )
)
_EVENT: Json = record(
    {
        "type": {"enum": list(TYPES)},
        "message_id": TEXT,
        "source_id": TEXT,
        "timestamp": TEXT,
        "received_at": {**TEXT, "description": "The order is by this."},
        "event": {**_OR_NULL, "description": "The name of the event, page or screen."},
        "properties": ANYTHING,
        "context": ANYTHING,
        "external_ids": {"type": "array", "items": shape("ExternalId")},
        "related": {"type": "object", "additionalProperties": TEXT},
    },
    traits=ANYTHING,
    group_id=TEXT,
    previous_id=TEXT,
)
_SCHEMAS: dict[str, Json] = {
    "ExternalId": _ID,
    "Cursor": record({"url": TEXT, "has_more": {"type": "boolean"}, "next": TEXT, "limit": WHOLE}),
    "Traits": record({"traits": ANYTHING, "cursor": shape("Cursor")}),
    "VerboseTrait": _TRAIT,
    "Metadata": _METADATA,
    "ProfileMetadata": record({"metadata": shape("Metadata")}),
    "Event": _EVENT,
    "Link": record(
        {"to_collection": TEXT, "external_ids": {"type": "array", "items": shape("ExternalId")}, "updated_at": TEXT}
    ),
    "Conflict": record(
        {
            "type": {"enum": list(KINDS)},
            "id": TEXT,
            "claimed_user_id": TEXT,
            "why": TEXT,
            "created_at": TEXT,
            "first_message_id": _OR_NULL,
        }
    ),
    "ListedProfile": record(
        {
            "collection": TEXT,
            "external_ids": {"type": "array", "items": shape("ExternalId")},
            "metadata": shape("Metadata"),
        }
    ),
    "ApiProblem": record({"error": record({"code": TEXT, "message": TEXT})}),
}
_CLOSED: tuple[Json, ...] = ({"api_basic": []}, {"api_bearer": []})


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Users and groups",
        about="What is known of them, in the shape of Segment's Profile API. Not for scripts of browsers.",
        page="profile-api.md",
        operations=tuple(_operations()),
        schemas=_SCHEMAS,
        replies={
            f"Api{status}": reply(words, shape("ApiProblem"), "Request-Id", *more)
            for status, words, more in (
                (400, "A parameter does not say what it should.", ()),
                (401, "No token of `[api] tokens`.", ()),
                (404, "Nobody is known by this id, or there is no such space or collection.", ()),
                (429, "More than the rate, or too many unknown tokens.", ("Retry-After", "X-RateLimit-Reset")),
                (503, "The database or the archive cannot be read now.", ("Retry-After",)),
            )
        },
        security={
            "api_basic": {"type": "http", "scheme": "basic", "description": "A token of `[api]` as the user name."},
            "api_bearer": {"type": "http", "scheme": "bearer", "description": "A token of `[api]`."},
        },
        closed=True,
    )


def _operations() -> Iterator[Operation]:
    yield _operation(
        COLLECTION,
        "profiles",
        "Users or groups, by id",
        _data("ListedProfile"),
        _limit("profiles", MOST_LISTED),
        query("prefix", "Of the id."),
        query("email", "Those with this e-mail address."),
        query("name", "A part of the name, in any case."),
        query("type", "Groups of this type."),
        query("anonymous", "Visitors instead of users.", {"enum": ["false", "true"]}),
    )
    yield _of_one(
        "traits",
        "The traits of a user or group",
        shape("Traits"),
        _limit("traits"),
        query("include", "Names, in any spelling, with commas between."),
        query("class", "Segment's audiences and computed traits: there are none here.", {"enum": list(CLASSES)}),
        query("verbose", "Each with `value`, `source_id` and `updated_at`.", {"enum": ["false", "true"]}),
    )
    yield _of_one(
        "external_ids",
        "All ids of a user or group",
        _data("ExternalId"),
        _limit("external_ids"),
        query("include", "Types, with commas between."),
        query("verbose", "Changes nothing.", {"enum": ["false", "true"]}),
    )
    yield _of_one(
        "metadata",
        "What was said first and last",
        shape("ProfileMetadata"),
        query("verbose", "Changes nothing.", {"enum": ["false", "true"]}),
    )
    yield _of_one("links", "The groups of a user, the members of a group", _data("Link"), _limit("links"))
    yield _of_one(
        "events",
        "The last messages of a user or group, from the archive",
        _data("Event"),
        _limit("events"),
        query("include", "Names of events, pages and screens, with commas between."),
        query("exclude", "The same, to leave out."),
        query("type", "Types of message, with commas between."),
        query("start", "Received from then on; two weeks ago when it is not said."),
        query("end", "Received before then."),
        query("sort", "The newest or the oldest first.", {"enum": ["desc", "asc"]}),
    )
    yield _of_one("conflicts", "Joins that do not hold", _data("Conflict"), _limit("conflicts"))


def _of_one(name: str, summary: str, schema: Json, *parameters: Json) -> Operation:
    identifier = in_path(
        "identifier", "Type and value of an id: `user_id:ann`.", {**TEXT, "pattern": r"^[a-z][a-z0-9_.]*:.+$"}
    )
    return _operation(f"{_PLACE}/{name}", name, summary, schema, identifier, *parameters)


def _operation(path: str, name: str, summary: str, schema: Json, *parameters: Json) -> Operation:
    words = {400: "Api400", 401: "Api401", 404: "Api404", 429: "Api429", 503: "Api503", 500: "Segment500"}
    paged = () if name == "metadata" else (query("next", "`cursor.next` of the page before."),)
    return Operation(
        path=path,
        method="get",
        name=f"profile_{name}",
        summary=summary,
        parameters=(
            in_path("space", "Any name, or the one that is configured."),
            in_path("collection", "Users, or groups.", {"enum": ["users", "accounts"]}),
            *parameters,
            *paged,
        ),
        replies={
            200: reply("What is known.", schema, "Request-Id", "Cache-Control"),
            **{status: answered(word) for status, word in words.items()},
        },
        security=_CLOSED,
    )


def _data(name: str) -> Json:
    return record({"data": {"type": "array", "items": shape(name)}, "cursor": shape("Cursor")})


def _limit(name: str, most: int = MOST) -> Json:
    schema: Json = {"type": "integer", "minimum": 1, "maximum": most, "default": USUAL[name]}
    return query("limit", "So many of them.", schema)
