"""Put the edge together, and make sure that every request gets an answer its client can read."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import Route as SiteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from collector import answers, cors, health, metrics_route, salts, schemas_route
from collector.answers import Answer
from collector.api.door import CLOSED, Door, Gate
from collector.api.rooms import Rooms
from collector.auth import NO_POLICIES, Keys
from collector.browser import library_route, published, settings_route
from collector.browser.settings_route import InForce
from collector.browser.shelf import Shelf
from collector.connections import Connections
from collector.errors import ClientGone, EdgeError, UnknownKey
from collector.health import UNWATCHED, Vitals
from collector.ingest import Ingest
from collector.log_port import Log, LogUnavailable, Store
from collector.meters import Guesses
from collector.oauth import token_route
from collector.oauth.token_route import Office
from collector.openapi import route as openapi_route
from collector.policy import Policy
from collector.reading import BODY_SECONDS
from collector.request import Request, headers_of, request_of
from collector.room import Room
from collector.routes import Route, meant, route_of
from collector.visitor import NO_PROXIES, Proxies, address_of
from destinations.blame import steps_of
from schemas.limits import Limits

_log = logging.getLogger(__name__)


def create_app(
    sources: Mapping[str, Collection[str]],
    log: Log,
    *,
    now: Callable[[], float],
    new_id: Callable[[], str],
    limits: Limits,
    policies: Mapping[str, Policy] = NO_POLICIES,
    salt: Callable[[int], bytes] = salts.of_this_process,
    body_seconds: float = BODY_SECONDS,
    room: Room | None = None,
    vitals: Vitals = UNWATCHED,
    trusted: Proxies = NO_PROXIES,
    public_url: str | None = None,
    library: Sequence[Path] = (published.BESIDE,),
    attaching: Store | None = None,
    door: Door | None = None,
    rooms: Rooms | None = None,
) -> "Edge":
    """The ASGI application. `sources` names each source's write keys, `now` gives seconds since 1970.

    `public_url` is where browsers and apps reach it, `library` where the library of browsers may lie. Behind `door`
    lie the `rooms` where questions about users and groups are answered, and where users can be forgotten.
    """
    keys = Keys(sources, policies)
    in_force = InForce(keys, Guesses(now), trusted, public_url, limits)
    ingest = Ingest(
        keys=keys,
        log=log,
        now=now,
        new_id=new_id,
        limits=limits,
        body_seconds=body_seconds,
        room=room or Room(int(Connections().bodies)),
        salt=salt,
        attaching=attaching,
        trusted=trusted,
    )
    office = Office(policies, now)
    gate = Gate(door or Door(CLOSED, now, new_id), in_force.guesses, lambda: in_force.trusted)
    about = (rooms or Rooms()).routes(gate, now)
    return Edge(ingest, site(log, vitals, in_force, office, Shelf(library), about), in_force, office)


def site(
    log: Log, vitals: Vitals, in_force: InForce, office: Office, library: Shelf, about: Sequence[SiteRoute]
) -> Starlette:
    """Everything that takes no messages."""
    application = Starlette(
        routes=[
            *health.routes(log, vitals),
            *schemas_route.routes(),
            *openapi_route.routes(lambda: in_force.limits),
            *metrics_route.routes(),
            *library_route.routes(library),
            *settings_route.routes(in_force),
            *token_route.routes(office),
            *about,
        ],
        exception_handlers={HTTPException: _refusal, Exception: _failure},
    )
    application.router.redirect_slashes = False
    return application


class Edge:
    """Finds the route of a message by one look-up, for nearly all requests bring messages; the site has the rest."""

    def __init__(self, ingest: Ingest, site: ASGIApp, in_force: InForce, office: Office) -> None:
        self._ingest = ingest
        self._site = site
        self._in_force = in_force
        self._office = office
        self._guesses = in_force.guesses

    def renew(
        self,
        sources: Mapping[str, Collection[str]],
        limits: Limits,
        policies: Mapping[str, Policy] = NO_POLICIES,
        trusted: Proxies = NO_PROXIES,
        public_url: str | None = None,
        *,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        """Requests that begin from now on are held against these; those under way end as they began."""
        keys = Keys(sources, policies)
        self._ingest = msgspec.structs.replace(
            self._ingest, keys=keys, limits=limits, trusted=trusted, body_seconds=body_seconds
        )
        self._in_force.keys, self._in_force.trusted, self._in_force.public_url = keys, trusted, public_url
        self._in_force.limits = limits
        self._office.renew(policies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        headers = headers_of(scope)
        if scope["method"] == "OPTIONS" and not cors.closed(scope["path"]):
            # On every path: where the preflight fails, a script cannot read that the path is wrong.
            await answers.preflight(headers).send(None, send)
            return
        origin = headers.get(b"origin")
        request = request_of(scope, headers)
        route = route_of(request.path)
        if route is None:
            reader = None if cors.closed(request.path) else origin
            await self._visit(scope, receive, send if reader is None else cors.opened(send, reader))
            return
        answer = await self._answer(request, route, receive)
        if answer is not None:
            await answer.send(origin, send)

    async def _answer(self, request: Request, route: Route, receive: Receive) -> Answer | None:
        """The answer to whatever came to this route; None when there is nobody left to hear it."""
        words = answers.worded if route.dialect is None else route.dialect.problem
        if request.method not in route.methods:
            return words(answers.method_not_allowed(", ".join((*route.methods, "OPTIONS"))))
        try:
            return await self._ingest.answer(route, request, receive)
        except UnknownKey as error:
            address = address_of(request, self._ingest.trusted)
            return words(answers.of_error(self._guesses.judged(error, address)))
        except EdgeError as error:
            return words(answers.of_error(error))
        except LogUnavailable as error:
            return words(answers.of_trouble(error))
        except ClientGone:
            return None
        except Exception as error:  # noqa: BLE001 - the last place where a client can still be told anything
            _report(error)
            return words(answers.INTERNAL)

    async def _visit(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._site(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - Starlette has answered by `_failure`, and raises it again
            _report(error)


async def _refusal(request: HTTPRequest, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET, HEAD")
        return answers.worded(answers.method_not_allowed(allowed)).response()
    return answers.worded(answers.not_found(meant(request.scope["path"]))).response()


async def _failure(request: HTTPRequest, error: Exception) -> Response:
    return answers.worded(answers.INTERNAL).response()


def _report(error: Exception) -> None:
    # Neither the error's own words nor the request's: both may quote what a client sent, a write key among it.
    _log.error("unexpected %s at %s", type(error).__name__, steps_of(error))
