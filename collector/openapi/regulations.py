"""Regulations: users are forgotten, in the shapes of Segment's Public API."""

from collector.openapi.parts import TEXT, Chapter, Json, Operation, in_path, json_body, query, record, reply, shape
from collector.regulations.asked import MOST_LISTED, MOST_SUBJECTS, STATES
from schemas.limits import Limits
from worker.forgetting.regulation import KINDS

_TOKEN: tuple[Json, ...] = ({"api_basic": []}, {"api_bearer": []})
_SCHEMAS: dict[str, Json] = {
    "Wish": record(
        {
            "regulationType": {"enum": list(KINDS)},
            "subjectType": {"const": "USER_ID"},
            "subjectIds": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_SUBJECTS,
                "items": {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"},
            },
        }
    ),
    "Wished": record({"data": record({"regulateId": TEXT, "regulateIds": {"type": "array", "items": TEXT}})}),
    "Regulation": record(
        {
            "id": TEXT,
            "regulationType": {"enum": list(KINDS)},
            "overallStatus": {"enum": list(STATES)},
            "createdAt": TEXT,
            "subject": {**TEXT, "description": "A digest of the userId."},
            "removed": {"type": "object", "description": "How many, by store."},
            "left": {"type": "array", "items": TEXT, "description": "What may still be somewhere, and why."},
            "streamStatus": {"type": "array"},
        },
        finishedAt=TEXT,
    ),
}


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Regulations",
        about="Users are forgotten.",
        page="forgetting.md",
        operations=(_wish(), _list(), _one(), _suppressed()),
        schemas=_SCHEMAS,
    )


def _wish() -> Operation:
    example = {"regulationType": "SUPPRESS_WITH_DELETE", "subjectType": "USER_ID", "subjectIds": ["97980cfea0067"]}
    return Operation(
        path="/regulations",
        name="addRegulations",
        summary="Forget users, or take them in again",
        about="Each of the ids becomes a regulation of its own; the workers see to it.",
        body=json_body(shape("Wish"), example),
        replies=_replies(shape("Wished")),
        security=_TOKEN,
    )


def _list() -> Operation:
    listed = record({"data": record({"regulations": {"type": "array", "items": shape("Regulation")}})})
    return Operation(
        path="/regulations",
        method="get",
        name="listRegulations",
        summary="What was asked for, the newest first",
        parameters=(
            query("status", "Only those in one of these states, with commas between.", {"enum": list(STATES)}),
            query("regulationTypes", "Only those of these types, with commas between.", {"enum": list(KINDS)}),
            *_paging(),
        ),
        replies=_replies(listed),
        security=_TOKEN,
    )


def _one() -> Operation:
    return Operation(
        path="/regulations/{id}",
        method="get",
        name="regulation",
        summary="What became of one",
        parameters=(in_path("id", "As it was answered."),),
        replies=_replies(record({"data": record({"regulation": shape("Regulation")})})),
        security=_TOKEN,
    )


def _suppressed() -> Operation:
    one = record({"subjectType": {"const": "USER_ID"}, "subjectIds": {"type": "array", "items": TEXT}})
    return Operation(
        path="/suppressions",
        method="get",
        name="suppressions",
        summary="The digests of users of whom nothing is taken",
        parameters=_paging(),
        replies=_replies(record({"data": record({"suppressed": {"type": "array", "items": one}})})),
        security=_TOKEN,
    )


def _paging() -> tuple[Json, ...]:
    count = {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}
    return query("count", "How many at most.", count), query("cursor", "`pagination.next` of the page before.")


def _replies(schema: Json) -> dict[int, Json]:
    problem = shape("ApiProblem")
    return {
        200: reply("Done.", schema),
        400: reply("Something is not as it should be.", problem),
        401: reply("No token, or none of ours.", problem),
        404: reply("It is not here.", problem),
        429: reply("Too much is asked at once.", problem, "Retry-After", "X-RateLimit-Reset"),
        503: reply("The database is away.", problem, "Retry-After", "X-RateLimit-Reset"),
    }
