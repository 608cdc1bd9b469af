"""What clients are told: every answer of the edge, encoded once where it can be."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Send

from collector import cors
from collector.accept import Refused
from collector.cors import Header
from collector.errors import EdgeError, TooSlow
from collector.log_port import LogFull, LogUnavailable
from schemas.errors import Violation

_JSON = (b"content-type", b"application/json")
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


def answer(status: int, body: bytes, *headers: Header) -> Answer:
    length = (b"content-length", str(len(body)).encode())
    everything = (_JSON, length, *headers)
    start = {"type": "http.response.start", "status": status, "headers": everything}
    return Answer(status, everything, start, {"type": "http.response.body", "body": body})


def preflight(headers: Mapping[bytes, bytes]) -> Answer:
    allowed = cors.preflight_headers(headers)
    start = {"type": "http.response.start", "status": 204, "headers": allowed}
    return Answer(204, allowed, start, {"type": "http.response.body", "body": b""})


def problem(status: int, code: str, message: str, *headers: Header, **more: object) -> Answer:
    """The one shape of an error. SDKs differ in which of `code`, `message` and `error` they read: all are there."""
    shape = {"success": False, "code": code, "message": message, "error": message, **more}
    return answer(status, msgspec.json.encode(shape), *headers)


# SDKs differ in which statuses they take for success: all take 200 with a JSON object, some nothing else.
SUCCESS = answer(200, b'{"success":true}')
INTERNAL = problem(500, "internal_error", "something went wrong in Turnout; the messages were not stored")


def of_error(error: EdgeError) -> Answer:
    if isinstance(error, TooSlow):
        # The rest of the body may still come: this connection cannot carry another request.
        return problem(error.status, error.code, error.message, _retry_after(1), (b"connection", b"close"))
    return problem(error.status, error.code, error.message)


def of_trouble(error: LogUnavailable) -> Answer:
    code = "log_full" if isinstance(error, LogFull) else "log_unavailable"
    words = f"nothing was stored: {error.reason}; try again later"
    return problem(503, code, words, _retry_after(error.retry_after))


def not_found(hint: str | None) -> Answer:
    words = "there is nothing here" if hint is None else f"there is nothing here; did you mean {hint}?"
    return problem(404, "not_found", words)


def method_not_allowed(allowed: str) -> Answer:
    return problem(405, "method_not_allowed", f"this path takes {allowed}", (b"allow", allowed.encode()))


def refused_message(violations: Sequence[Violation]) -> Answer:
    words = " ".join(violation.sentence() for violation in violations)
    return problem(400, violations[0].code, words, violations=[_told(violation) for violation in violations])


def refused_batch(accepted: int, refused: Sequence[Refused]) -> Answer:
    """Success with a list of what was left out, or an error when nothing was left in."""
    rejected = [_rejected(each) for each in refused]
    if accepted:
        return answer(200, msgspec.json.encode({"success": True, "accepted": accepted, "rejected": rejected}))
    words = f"none of the {len(refused)} messages could be accepted; the first: {rejected[0]['message']}"
    return problem(400, "all_rejected", words, accepted=0, rejected=rejected)


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


def _retry_after(seconds: int) -> Header:
    return b"retry-after", str(max(1, min(seconds, LONGEST_WAIT))).encode()
