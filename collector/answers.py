"""What clients are told: every answer of the edge, encoded once where it can be."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Send

from collector import cors
from collector.accept import Refused
from collector.cors import Header
from collector.errors import Crowded, EdgeError, TooMany, TooSlow
from collector.log_port import LogFull, LogUnavailable
from schemas.errors import Violation

LONGEST_WAIT = 300  # seconds: what SDKs cut a longer Retry-After to


class Answer(msgspec.Struct, frozen=True):
    """A finished answer: sending it makes nothing anew."""

    status: int
    headers: tuple[Header, ...]
    start: dict[str, Any]
    body: dict[str, Any]

    async def send(self, origin: bytes | None, send: Send) -> None:
        if origin is None:
            await send(self.start)
        else:
            await send({**self.start, "headers": self.headers + cors.answer_headers(origin)})
        await send(self.body)

    def response(self) -> Response:
        """The same as Starlette's routes give it."""
        response = Response(self.body["body"], self.status)
        response.raw_headers = list(self.headers)
        return response


def answer(status: int, body: bytes, *headers: Header, kind: bytes = b"application/json") -> Answer:
    """A finished answer; `kind` is its Content-Type."""
    length = (b"content-length", str(len(body)).encode())
    everything = ((b"content-type", kind), length, *headers)
    start = {"type": "http.response.start", "status": status, "headers": everything}
    return Answer(status, everything, start, {"type": "http.response.body", "body": body})


def preflight(headers: Mapping[bytes, bytes]) -> Answer:
    allowed = cors.preflight_headers(headers)
    start = {"type": "http.response.start", "status": 204, "headers": allowed}
    return Answer(204, allowed, start, {"type": "http.response.body", "body": b""})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, before a dialect puts it into its words."""

    status: int
    code: str
    message: str
    headers: tuple[Header, ...] = ()
    more: Mapping[str, object] = {}


def worded(problem: Problem) -> Answer:
    """The one shape of an error. SDKs differ in which of `code`, `message` and `error` they read: all are there."""
    said = {"success": False, "code": problem.code, "message": problem.message, "error": problem.message}
    return answer(problem.status, msgspec.json.encode({**said, **problem.more}), *problem.headers)


# SDKs differ in which statuses they take for success: all take 200 with a JSON object, some nothing else.
SUCCESS = answer(200, b'{"success":true}')
_INTERNAL_WORDS = "something went wrong in Turnout; the messages were not stored"
INTERNAL = Problem(status=500, code="internal_error", message=_INTERNAL_WORDS)


def of_error(error: EdgeError) -> Problem:
    headers: tuple[Header, ...] = ()
    if isinstance(error, TooSlow | Crowded):
        headers = (retry_after(1),)
    elif isinstance(error, TooMany):
        headers = waits(error.wait)
    return Problem(status=error.status, code=error.code, message=error.message, headers=headers)


def of_trouble(error: LogUnavailable) -> Problem:
    code = "log_full" if isinstance(error, LogFull) else "log_unavailable"
    words = f"nothing was stored: {error.reason}; try again later"
    return Problem(status=503, code=code, message=words, headers=(retry_after(error.retry_after),))


def not_found(hint: str | None) -> Problem:
    more = "/openapi.json lists all paths" if hint is None else f"did you mean {hint}?"
    return Problem(status=404, code="not_found", message=f"there is nothing here; {more}")


def method_not_allowed(allowed: str) -> Problem:
    words = f"this path takes {allowed}"
    return Problem(status=405, code="method_not_allowed", message=words, headers=((b"allow", allowed.encode()),))


def refused_message(violations: Sequence[Violation]) -> Problem:
    words = " ".join(violation.sentence() for violation in violations)
    told = [_told(violation) for violation in violations]
    return Problem(status=400, code=violations[0].code, message=words, more={"violations": told})


def all_rejected(refused: Sequence[Refused]) -> Problem:
    """Nothing was left in: an error, so that the mistake shows where the sender looks."""
    rejected = [_rejected(each) for each in refused]
    words = f"none of the {len(refused)} messages could be accepted; the first: {rejected[0]['message']}"
    return Problem(status=400, code="all_rejected", message=words, more={"accepted": 0, "rejected": rejected})


def refused_in_part(accepted: int, refused: Sequence[Refused]) -> Answer:
    """Success, with a list of what was left out."""
    rejected = [_rejected(each) for each in refused]
    return answer(200, msgspec.json.encode({"success": True, "accepted": accepted, "rejected": rejected}))


def _rejected(refused: Refused) -> dict[str, object]:
    first = refused.violations[0]
    name = {} if refused.message_id is None else {"messageId": refused.message_id}
    return {"index": refused.index, **name, "code": first.code, "message": first.sentence(), "path": first.path}


def _told(violation: Violation) -> dict[str, str]:
    return {
        "path": violation.path,
        "rule": violation.rule,
        "expected": violation.expected,
        "found": violation.found,
        "code": violation.code,
        "message": violation.sentence(),
    }


def waits(seconds: int) -> tuple[Header, Header]:
    """Clients differ in which of the two they read."""
    return retry_after(seconds), (b"x-ratelimit-reset", str(seconds).encode())


def retry_after(seconds: int) -> Header:
    return b"retry-after", str(max(1, min(seconds, LONGEST_WAIT))).encode()
