"""What a browser or an app fetches before it sends: the published library, and where messages go."""

from collections.abc import Iterator

from collector.openapi.parts import (
    ANYTHING,
    TEXT,
    Chapter,
    Json,
    Operation,
    answered,
    header,
    in_path,
    record,
    reply,
    shape,
)
from collector.openapi.shared import problem
from schemas.limits import Limits

_SENT_FROM: Json = record({"apiKey": TEXT, "apiHost": TEXT}, protocol={"const": "http"}, deliveryStrategy=ANYTHING)
_SCHEMAS: dict[str, Json] = {
    "Settings": record(
        {
            "integrations": record({"Segment.io": _SENT_FROM}),
            "metrics": record({"sampleRate": {"const": 0}, "host": TEXT}),
        }
    ),
}
_SCRIPT: Json = {"type": "string", "contentMediaType": "text/javascript"}
_KEPT = ("ETag", "Cache-Control")
_REPLIES: dict[str, Json] = {
    "Script": reply("The script.", _SCRIPT, *_KEPT, kind="text/javascript"),
    "Settings": reply("Where messages go.", shape("Settings"), *_KEPT),
    "NotModified": reply("The client has it already.", None, *_KEPT),
    "LibraryMissing": reply("The library is not on this machine.", problem("browser_library_missing"), "Cache-Control"),
    "BadHost": reply("The request names no host that could be told.", problem("bad_host")),
    "NoSuchSource": reply("No source can be told by this key.", problem("missing_write_key", "unknown_write_key")),
}
_ASKED_AGAIN = header("If-None-Match", "The ETag of what is there already.")
_KEY = in_path("key", "The write key.")

_SCRIPTS = ("analytics.min.js", "analytics.js", "platform/analytics.min.js")
_TWICE = ("/v1/projects/projects", "/v1/v1/projects", "/projects")


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Browsers and apps",
        about="What Segment's libraries fetch before they send.",
        page="switching/browser.md",
        operations=(*_library(), *_settings()),
        schemas=_SCHEMAS,
        replies=_REPLIES,
    )


def _library() -> Iterator[Operation]:
    scripts = [f"{start}/analytics.js/v1/{{key}}/{name}" for start in ("", "/v1") for name in _SCRIPTS]
    yield Operation(
        path=scripts[0],
        also=tuple(scripts[1:]),
        method="get",
        name="library",
        summary="Segment's library for browsers, as it was published",
        about="The same for all keys: which one it is, the page says.",
        parameters=(_KEY, _ASKED_AGAIN),
        replies={200: answered("Script"), 304: answered("NotModified"), 503: answered("LibraryMissing")},
    )
    yield Operation(
        path="/analytics-next/bundles/{name}",
        also=("/v1/analytics-next/bundles/{name}",),
        method="get",
        name="library_part",
        summary="A part of the library that is loaded when it is needed",
        parameters=(in_path("name", "As the library names it, with its hash."), _ASKED_AGAIN),
        replies={
            200: answered("Script"),
            304: answered("NotModified"),
            404: answered("Hidden"),
            503: answered("LibraryMissing"),
        },
    )


def _settings() -> Iterator[Operation]:
    said = {
        200: answered("Settings"),
        304: answered("NotModified"),
        400: answered("BadHost"),
        404: answered("NoSuchSource"),
    }
    paths = [f"{start}/{{key}}/settings" for start in _TWICE]
    yield Operation(
        path="/v1/projects/{key}/settings",
        also=("/v1/projects/{key}/settings/", *paths, *(f"{path}/" for path in paths)),
        method="get",
        name="settings",
        summary="Where the library of a browser or an app sends its messages",
        parameters=(_KEY, _ASKED_AGAIN),
        replies=said,
    )
    yield Operation(
        path="/v1/projects",
        also=("/v1/projects/",),
        method="get",
        name="settings_by_header",
        summary="The same, with the key beside the path",
        parameters=(_ASKED_AGAIN,),
        replies=said,
        security=({"basic": []}, {"header": []}, {"query": []}),
    )
