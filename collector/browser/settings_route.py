"""Tell a browser or an app where its messages go, in the form in which Segment's SDKs ask for it."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.answers import Problem
from collector.auth import Grant, Keys
from collector.browser.address import outer_url
from collector.browser.caching import kept
from collector.errors import EdgeError, Unauthorized, UnknownKey
from collector.meters import Guesses
from collector.policy import Browser
from collector.request import Request, headers_of, request_of
from collector.visitor import NO_PROXIES, Proxies, address_of
from schemas.limits import Limits

CACHED = b"public, max-age=300"
_LAST = "/settings"

# People give hosts with a version, or with more of the path, where SDKs add it themselves.
_PATHS = tuple(
    f"{prefix}/{{key:path}}{_LAST}{slash}"
    for prefix in ("/v1/projects/projects", "/v1/v1/projects", "/v1/projects", "/projects")
    for slash in ("", "/")
)
_WITHOUT_KEY = ("/v1/projects", "/v1/projects/")

NO_HOST = Problem(
    status=400, code="bad_host", message="the request's Host header is no host name, with or without a port"
)


class InForce(msgspec.Struct):
    """What the answers of the site depend on, and a reload changes."""

    keys: Keys
    guesses: Guesses
    trusted: Proxies = NO_PROXIES
    public_url: str | None = None
    limits: Limits = Limits()


def routes(in_force: InForce) -> list[Route]:
    async def by_path(request: HTTPRequest) -> Response:
        return _answered(request, in_force, lambda keys, _: keys.named(request.path_params["key"]))

    async def by_header_or_query(request: HTTPRequest) -> Response:
        return _answered(request, in_force, _named_beside)

    return [*(Route(path, by_path) for path in _PATHS), *(Route(path, by_header_or_query) for path in _WITHOUT_KEY)]


def settings_of(grant: Grant, url: str) -> dict[str, Any]:
    """For the holder of a key, when `url` leads here. Pure.

    Without `apiHost` an SDK would send to Segment. Whatever is not needed is left out: some SDKs load more code for
    each thing that is named, others fail at a null.
    """
    scheme, _, place = url.partition("://")
    host = f"{place.rstrip('/')}/v1"
    integration: dict[str, Any] = {"apiKey": grant.key, "apiHost": host}
    if scheme == "http":
        integration["protocol"] = "http"
    if grant.policy.browser.delivery == "batching":
        integration["deliveryStrategy"] = _batching(grant.policy.browser)
    return {"integrations": {"Segment.io": integration}, "metrics": {"sampleRate": 0, "host": host}}


def _batching(browser: Browser) -> dict[str, Any]:
    config = {"size": browser.batch_size, "timeout": round(browser.batch_wait * 1000)}
    return {"strategy": "batching", "config": config}


def _answered(asked: HTTPRequest, in_force: InForce, grant_of: Callable[[Keys, Request], Grant]) -> Response:
    request = request_of(asked.scope, headers_of(asked.scope))
    try:
        grant = grant_of(in_force.keys, request)
    except UnknownKey as error:
        judged = in_force.guesses.judged(error, address_of(request, in_force.trusted))
        return answers.worded(_not_found(judged)).response()
    except Unauthorized as error:
        return answers.worded(_not_found(error)).response()
    url = in_force.public_url or outer_url(request, in_force.trusted)
    if not url:
        return answers.worded(NO_HOST).response()
    body = msgspec.json.encode(settings_of(grant, url))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # The scheme in it may have been found out by these.
    by = (b"vary", b"Origin, Sec-Fetch-Site")
    return kept(asked, body, tag, (b"cache-control", CACHED), by, kind=b"application/json")


def _not_found(error: EdgeError) -> Problem:
    """An address with a key in it that is none is like any other that leads nowhere."""
    problem = answers.of_error(error)
    return msgspec.structs.replace(problem, status=404) if problem.status == 401 else problem


def _named_beside(keys: Keys, request: Request) -> Grant:
    grant = keys.outside_body(request.headers, request.query)
    if grant is None:
        raise Unauthorized(
            "missing_write_key", "the request carries no write key: it goes into /v1/projects/KEY/settings"
        )
    return grant
