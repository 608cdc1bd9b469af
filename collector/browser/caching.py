"""Answers that clients may keep, and ask after by their tag."""

import re

from starlette.requests import Request
from starlette.responses import Response

from collector import answers
from collector.cors import Header

_WEIGHT = re.compile(r"\s*([^;\s]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?", re.IGNORECASE)


def kept(request: Request, body: bytes, tag: str, *headers: Header, kind: bytes) -> Response:
    """The body, or 304 when the client has it."""
    marked = ((b"etag", tag.encode()), *headers)
    if _names(request.headers.get("if-none-match", ""), tag):
        response = Response(status_code=304)
        response.raw_headers = [(name, value) for name, value in marked if name != b"content-encoding"]
        return response
    return answers.answer(200, body, *marked, kind=kind).response()


def accepts_gzip(accept_encoding: str) -> bool:
    weights = {}
    for part in accept_encoding.split(","):
        if match := _WEIGHT.fullmatch(part):
            weights[match[1].lower()] = match[2] or "1"
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != ""


def _names(if_none_match: str, tag: str) -> bool:
    # Caches on the way may have weakened it; the bytes that it names are the same.
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return tag in named or "*" in named
