"""`/regulations` and `/suppressions`: users to forget, in the shapes of Segment's Public API."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from collector.api.door import Ask, Gate
from collector.api.errors import Invalid, NotFound
from collector.regulations import shapes
from collector.regulations.asked import MOST_LISTED, MOST_SUBJECTS, STATES
from collector.regulations.desk import Desk
from worker.forgetting.regulation import KINDS

MOST_BYTES = 4_000_000
USUALLY_LISTED = 20


class Wished(msgspec.Struct, rename="camel"):
    """The body of a wish."""

    regulation_type: str
    subject_type: Literal["USER_ID", "OBJECT_ID", "ANONYMOUS_ID"]
    subject_ids: list[str]


_wished = msgspec.json.Decoder(Wished).decode

Answer = Callable[[Request], Awaitable[Any]]


class Regulations:
    """The answers to each of the questions."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def add(self, request: Request) -> Any:
        wished = _read(await _body(request))
        users = _users(wished)
        if wished.regulation_type not in KINDS or wished.subject_type != "USER_ID":
            words = f"NOT_SUPPORTED: {wished.regulation_type} of {wished.subject_type}"
            raise Invalid(f"{words}; there are {', '.join(KINDS)}, of USER_ID")
        numbers = await self._desk.add(wished.regulation_type, users)
        return {"data": {"regulateId": numbers[0], "regulateIds": numbers}}

    async def one(self, request: Request) -> Any:
        wish = await self._desk.get(request.path_params["id"])
        if wish is None:
            raise NotFound("There is no such regulation.")
        return {"data": {"regulation": shapes.regulation(wish)}}

    async def listed(self, request: Request) -> Any:
        states = _several(request, "status", STATES)
        kinds = _several(request, "regulationTypes", KINDS)
        limit, after = _limit(request), request.query_params.get("cursor", "")
        wishes = await self._desk.newest(limit + 1, states, kinds, after)
        place = wishes[limit - 1].id if len(wishes) > limit else None
        return {"data": {"regulations": [shapes.regulation(wish) for wish in wishes[:limit]], **_page(place)}}

    async def suppressed(self, request: Request) -> Any:
        limit, after = _limit(request), request.query_params.get("cursor", "")
        found = await self._desk.suppressed(limit + 1, after)
        place = found[limit - 1][0] if len(found) > limit else None
        return {"data": {"suppressed": [shapes.suppression(*one) for one in found[:limit]], **_page(place)}}


def routes(gate: Gate, regulations: Regulations) -> list[Route]:
    def told(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        return gate.guarded(_answering(answer))

    both = _by_method(GET=told(regulations.listed), POST=told(regulations.add))
    return [
        Route("/regulations", both, methods=["GET", "POST"]),
        Route("/regulations/{id}", told(regulations.one)),
        Route("/suppressions", told(regulations.suppressed)),
    ]


def _answering(answer: Answer) -> Ask:
    async def ask(request: Request) -> Response:
        return Response(msgspec.json.encode(await answer(request)), media_type="application/json")

    return ask


def _by_method(**answers: Ask) -> Ask:
    async def ask(request: Request) -> Response:
        return await (answers.get(request.method) or answers["GET"])(request)

    return ask


async def _body(request: Request) -> bytes:
    """Raises Invalid when it is too long."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Invalid(f"the body is longer than {MOST_BYTES:,} bytes")
    except ClientDisconnect as error:
        raise Invalid("the body came to no end") from error
    return bytes(body)


def _read(body: bytes) -> Wished:
    try:
        return _wished(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        expected = '{"regulationType": "...", "subjectType": "USER_ID", "subjectIds": ["..."]}'
        raise Invalid(f"the body is not of the form {expected}") from error


def _users(wished: Wished) -> Sequence[str]:
    users = list(dict.fromkeys(wished.subject_ids))
    if not 0 < len(users) <= MOST_SUBJECTS or "" in users or any("\0" in user for user in users):
        raise Invalid(f"subjectIds must be 1 to {MOST_SUBJECTS:,} ids, none of them empty")
    return users


def _several(request: Request, name: str, known: Sequence[str]) -> list[str]:
    found = [word for text in request.query_params.getlist(name) for word in text.split(",") if word]
    if any(word not in known for word in found):
        raise Invalid(f"{name} must be of {', '.join(known)}")
    return found


def _limit(request: Request) -> int:
    text = request.query_params.get("count", str(USUALLY_LISTED))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_LISTED):
        raise Invalid(f"count must be a number from 1 to {MOST_LISTED}")
    return int(text)


def _page(place: str | None) -> dict[str, Any]:
    return {"pagination": {"next": place} if place else {}}
