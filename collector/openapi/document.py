"""Put the OpenAPI document together: every path on which Turnout answers, with the limits in force. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby

import msgspec

from collector.dialects.dialect import Dialect
from collector.openapi import (
    browser,
    dopt,
    jitsu,
    oauth,
    openpanel,
    pixel,
    profiles,
    published,
    rudder,
    segment,
    shared,
    site,
)
from collector.openapi.parts import Chapter, Json, Operation, answered
from collector.routes import ALIASES, ROUTES, Route
from schemas.limits import Limits

_CHAPTERS = (
    segment.chapter,
    pixel.chapter,
    browser.chapter,
    rudder.chapter,
    jitsu.chapter,
    openpanel.chapter,
    dopt.chapter,
    oauth.chapter,
    profiles.chapter,
    site.chapter,
)

ELSEWHERE = "Other paths"
"""The title under which the further paths of the operations stand."""

_ABOUT = """\
Turnout takes customer events as the SDKs of several vendors send them.

Every path that takes messages works with a slash at its end, too, and nothing is ever redirected. A method that a path
does not take is answered with 405 and `Allow`, a path that is not here with 404; what is no request at all with 400,
408 or 431, and one too many connections with 503, all in the shape of `Problem`. A path that takes GET takes HEAD.
Scripts of browsers may read every answer, but for those about users and groups.
"""


def chapters(limits: Limits) -> list[Chapter]:
    return [chapter(limits) for chapter in _CHAPTERS]


def document(limits: Limits) -> Json:
    """The whole of it, as it is served."""
    found = chapters(limits)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Turnout",
            "version": version("turnout"),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "x-limits": msgspec.to_builtins(limits),
        "tags": [
            *({"name": one.title, "description": f"{one.about} See docs/{one.page}."} for one in found),
            {"name": ELSEWHERE, "description": "The same under other names, for SDKs differ in them."},
        ],
        "paths": _paths(found),
        "components": _components(found, limits),
    }


def other_paths(operations: Sequence[Operation]) -> dict[str, str]:
    """Paths without an operation of their own, each with the path whose operations it shares."""
    described = {operation.path for operation in operations}
    named = {path: operation.path for operation in operations for path in operation.also}
    first: dict[tuple[str | None, Dialect | None], str] = {}
    for path, route in ROUTES.items():
        if path in described:
            first.setdefault(_way(route), path)
    for path, route in {**ROUTES, **ALIASES}.items():
        plain = path.rstrip("/")
        if path not in described and path not in named:
            main = plain if plain in described else named.get(plain) or first.get(_way(route))
            named |= {} if main is None else {path: main}
    return named


def _way(route: Route) -> tuple[str | None, Dialect | None]:
    """Routes that agree in this differ in nothing but their path."""
    return route.kind, route.dialect


def _paths(found: Iterable[Chapter]) -> Json:
    items = {path: _item(operations, chapter) for chapter in found for path, operations in _by_path(chapter)}
    operations = [operation for chapter in found for operation in chapter.operations]
    others = {path: {"$ref": f"#/components/pathItems/{_key(main)}"} for path, main in other_paths(operations).items()}
    return {**items, **others}


def _shared_items(found: Iterable[Chapter]) -> Json:
    """Operations for the paths that are not theirs: without the names, of which there must be but one each."""
    operations = [operation for chapter in found for operation in chapter.operations]
    wanted = set(other_paths(operations).values())
    items = {}
    for chapter in found:
        for path, here in _by_path(chapter):
            if path in wanted:
                items[_key(path)] = _anonymous(_item(here, chapter), path)
    return items


def _anonymous(item: Mapping[str, Json], path: str) -> Json:
    changed = {"summary": f"The same as {path}", "tags": [ELSEWHERE], "operationId": None, "description": None}
    return {
        method: {name: value for name, value in {**operation, **changed}.items() if value is not None}
        for method, operation in item.items()
    }


def _by_path(chapter: Chapter) -> list[tuple[str, list[Operation]]]:
    return [(path, list(here)) for path, here in groupby(chapter.operations, lambda operation: operation.path)]


def _key(path: str) -> str:
    """A path as the name of a component."""
    return path.strip("/").replace("/", "_").translate(str.maketrans("", "", "{}"))


def _item(operations: Iterable[Operation], chapter: Chapter) -> Json:
    described = {operation.method: _operation(operation, chapter) for operation in operations}
    return described if chapter.closed else {**described, "options": _PREFLIGHT}


_PREFLIGHT: Json = {
    "summary": "A browser's question beforehand",
    "tags": [ELSEWHERE],
    "security": [],
    "responses": {"204": answered("Preflight")},
}


def _operation(operation: Operation, chapter: Chapter) -> Json:
    told: Json = {
        "operationId": operation.name,
        "tags": [chapter.title],
        "summary": operation.summary,
        "description": operation.about,
        "parameters": list(operation.parameters),
        "requestBody": operation.body,
        "security": list(operation.security),
        "responses": {str(status): reply for status, reply in sorted(operation.replies.items())},
    }
    return {name: value for name, value in told.items() if value}


def _components(found: Sequence[Chapter], limits: Limits) -> Json:
    return {
        "schemas": {**published.shapes(limits), **shared.SCHEMAS, **_gathered(chapter.schemas for chapter in found)},
        "responses": {**shared.REPLIES, **_gathered(chapter.replies for chapter in found)},
        "headers": shared.HEADERS,
        "securitySchemes": {**shared.SECURITY, **_gathered(chapter.security for chapter in found)},
        "pathItems": _shared_items(found),
    }


def _gathered(parts: Iterable[Mapping[str, Json]]) -> Json:
    return {name: value for part in parts for name, value in part.items()}
