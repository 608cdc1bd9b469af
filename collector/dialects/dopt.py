"""Dopt's users API, of both its generations: users with their groups, and groups alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector import answers, decoding
from collector.accept import Refused
from collector.answers import Answer, Problem
from collector.auth import Grant, Keys
from collector.dialects import dopt_items as items
from collector.dialects.dialect import Dialect, Facts, Telling, Told, refused_item
from collector.errors import BadBody, Unauthorized
from collector.request import Request
from schemas.errors import Invalid

API_KEY = b"x-api-key"
UNDER_IDENTIFY = "/identify/"
MOST_USERS = 100
MOST_MESSAGES = 2_500
"""Users and their groups in one request."""


class Dopt(Dialect):
    """What its paths have in common."""

    def outside(self, request: Request, keys: Keys) -> Grant | None:
        key = request.header(API_KEY)
        return keys.named(key) if key else keys.outside_body(request.headers, request.query)

    def inside(self, text: bytes, keys: Keys) -> Grant:
        raise Unauthorized("missing_write_key", "the request carries no key: it belongs into the header x-api-key")

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        if refused:
            return self.problem(Problem(status=400, code="refused", message=_what_is_wrong(telling, accepted, refused)))
        return answers.SUCCESS

    def problem(self, problem: Problem) -> Answer:
        # Its clients raise an error of validation, and hide this one, at other codes than these and at other members.
        said = {"code": _code(problem.status), "details": problem.message}
        return answers.answer(problem.status, items.encode(said), *problem.headers)


class OneUser(Dopt):
    """`/identify`: a user, and its groups."""

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return _one(items.user, text, request)


class OneGroup(Dopt):
    """`/identify/group`: a group, without a user."""

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return _one(items.group_alone, text, request)


class UserOfPath(Dopt):
    """`/identify/{identifier}`: a user, all of whose properties are the body."""

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        identifier = items.identifier_of_path(_rest(request))
        return _one(lambda item: items.user_of_path(identifier, item), text, request)


class FromSegment(Dopt):
    """`/identify/segment`: an identify or a group as Segment sends them."""

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return _one(items.of_segment, text, request)

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        return super().stored(telling, accepted, refused) if refused else _count(1)


class Users(Dopt):
    """`/identify/bulk` and `/identify/batch`: many users, each judged alone."""

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        users = items.array(text)
        if len(users) > MOST_USERS:
            raise BadBody("too_many_users", f"the body holds {len(users)} users; the most is {MOST_USERS}")
        return _many([bytes(user) for user in users], request)

    def repaired(self, request: Request, raw: bytes) -> Telling | None:
        return None if items.is_message(raw) else _many([raw], request)

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        return super().stored(telling, accepted, refused) if refused else _count(telling.reply)


def _one(read: items.Reader, text: bytes, request: Request) -> Telling:
    try:
        messages = read(items.members(decoding.mended(text)))
    except Invalid as invalid:
        violation = invalid.violations[0]
        raise BadBody(violation.code, violation.sentence()) from invalid
    return _told([Told(0, items.encode(message)) for message in messages], (), request, 1)


def _many(users: Sequence[bytes], request: Request) -> Telling:
    messages: list[Told] = []
    refused: list[Refused] = []
    for place, raw in enumerate(users):
        try:
            messages += [Told(place, items.encode(message)) for message in items.user(items.members(raw))]
        except Invalid as invalid:
            refused.append(refused_item(place, raw, *invalid.violations))
    return _told(messages, refused, request, len(users))


def _told(messages: Sequence[Told], refused: Sequence[Refused], request: Request, count: int) -> Telling:
    if len(messages) > MOST_MESSAGES:
        words = f"the body holds {len(messages)} users and groups of users; the most is {MOST_MESSAGES}"
        raise BadBody("too_many_messages", words)
    return Telling(messages=messages, refused=refused, context=_context(request), reply=count)


def _rest(request: Request) -> bytes:
    """The path behind `/identify/`, as it was sent: a slash may belong to the identifier."""
    _, found, rest = request.raw_path.partition(UNDER_IDENTIFY.encode())
    return (rest if found else request.path.removeprefix(UNDER_IDENTIFY).encode()).removesuffix(b"/")


def _context(request: Request) -> Mapping[str, Any] | None:
    """The client as it names itself; that for browsers and Node says only which language it is written in."""
    language = request.header(b"x-fern-language")
    name, version = request.header(b"x-fern-sdk-name"), request.header(b"x-fern-sdk-version")
    if not name and not language:
        return None
    library = {"name": name or f"dopt-users-{language.lower()}-client"}
    return {"library": {**library, "version": version} if version else library}


def _count(users: int) -> Answer:
    return answers.answer(200, items.encode({"count": users}))


def _code(status: int) -> str:
    match status:
        case 401 | 403:
            return "unauthorized_error"
        case 404:
            return "not_found_error"
        case _:
            return "invalid_request_error" if status < 500 else "internal_server_error"


def _what_is_wrong(telling: Telling, accepted: int, refused: Sequence[Refused]) -> str:
    if telling.reply == 1:
        words = " ".join(each.violations[0].sentence() for each in refused)
        return f"the rest of it is stored; this is not: {words}" if accepted else words
    wrong = {each.index for each in refused}
    told = " ".join(f"[{each.index}] {each.violations[0].sentence()}" for each in refused)
    return f"{telling.reply - len(wrong)} of {telling.reply} users are stored; these are not: {told}"
