"""OpenPanel's answers. Its SDKs take the ids of device and session from every one of them."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from collector import answers
from collector.accept import Refused
from collector.answers import Answer, Problem
from collector.cors import Header
from collector.dialects.openpanel.visitor import Visitor

_TEXT = b"text/plain; charset=utf-8"


def taken(who: Visitor, refused: Sequence[Refused]) -> Answer:
    """Also where a part was refused: the SDK would send all of it again."""
    rejected = [_rejected(each) for each in refused]
    return _known(who, {"rejected": rejected} if rejected else {})


def device(who: Visitor) -> Answer:
    return _known(who, {"message": "ok"})


def said(status: int, words: str, *headers: Header) -> Answer:
    """Plain text."""
    return answers.answer(status, words.encode("utf-8", "replace"), *headers, kind=_TEXT)


def failed(problem: Problem) -> Answer:
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return said(problem.status, problem.message, *problem.headers)
    phrase = HTTPStatus(problem.status).phrase
    body = {"status": problem.status, "error": phrase, "message": problem.message, "code": problem.code}
    return answers.answer(problem.status, msgspec.json.encode({**body, **problem.more}), *problem.headers)


def _known(who: Visitor, more: dict[str, object]) -> Answer:
    return answers.answer(200, msgspec.json.encode({"deviceId": who.device, "sessionId": who.session, **more}))


def _rejected(refused: Refused) -> dict[str, str]:
    first = refused.violations[0]
    return {"code": first.code, "message": first.sentence(), "path": first.path}
