"""Serve the browser's library as it was published: the script, and the chunks that it loads when it needs them."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.answers import Problem
from collector.browser.caching import accepts_gzip, kept
from collector.browser.shelf import Book, Shelf
from collector.cors import Header

# A new version is noticed within this; a name with a hash never means anything else.
SCRIPT_CACHED = b"public, max-age=600"
CHUNK_CACHED = b"public, max-age=31536000, immutable"

_SCRIPTS = (
    "/analytics.js/v1/{key}/analytics.min.js",
    "/analytics.js/v1/{key}/analytics.js",
    "/analytics.js/v1/{key}/platform/analytics.min.js",
)
_CHUNKS = "/analytics-next/bundles/{name}"
_HEADERS: tuple[Header, ...] = (
    # Origin as well: a cache must not give a script that asks with one the answer to a page that asked without.
    (b"vary", b"Accept-Encoding, Origin"),
    (b"x-content-type-options", b"nosniff"),
    # A page that isolates itself may only load what says so.
    (b"cross-origin-resource-policy", b"cross-origin"),
)
MISSING = Problem(
    status=503,
    code="browser_library_missing",
    message="the library for browsers is not on this machine: `turnout browser fetch` gets it; messages are taken",
    headers=((b"cache-control", b"no-store"),),
)


def routes(shelf: Shelf) -> list[Route]:
    """The key in a script's path is the page's business: the script is the same for all."""

    async def script(request: Request) -> Response:
        library = shelf.library()
        if library is None:
            return answers.worded(MISSING).response()
        return _file(library.script, request, SCRIPT_CACHED)

    async def chunk(request: Request) -> Response:
        library = shelf.library()
        if library is None:
            return answers.worded(MISSING).response()
        book = library.chunks.get(request.path_params["name"])
        if book is None:
            raise HTTPException(404)
        return _file(book, request, CHUNK_CACHED)

    # A host that was given with a version in its path is asked for the same things below it.
    prefixes = ("", "/v1")
    scripts = [Route(f"{prefix}{path}", script) for prefix in prefixes for path in _SCRIPTS]
    return [*scripts, *(Route(f"{prefix}{_CHUNKS}", chunk) for prefix in prefixes)]


def _file(book: Book, request: Request, cached: bytes) -> Response:
    headers = (*_HEADERS, (b"cache-control", cached))
    if book.packed is None or not accepts_gzip(request.headers.get("accept-encoding", "")):
        return kept(request, book.plain, book.tag, *headers, kind=b"text/javascript; charset=utf-8")
    packed = (*headers, (b"content-encoding", b"gzip"))
    return kept(request, book.packed, book.packed_tag, *packed, kind=b"text/javascript; charset=utf-8")
