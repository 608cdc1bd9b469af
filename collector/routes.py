"""Which paths take messages: of which type, and in which dialect."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from collector.dialects.dialect import Dialect
from collector.dialects.dopt import UNDER_IDENTIFY, FromSegment, OneGroup, OneUser, UserOfPath, Users
from collector.dialects.jitsu import JitsuPixel, One, Several
from collector.dialects.openpanel.endpoints import DeviceId, Event, Profile, Track
from collector.dialects.pixel import Pixel
from collector.dialects.rudder import Merge, RudderPixel, SourceConfig
from schemas.catalog import KINDS

BATCH = "batch"
_NAMES = {
    "identify": ("identify", "i"),
    "group": ("group", "g"),
    "track": ("track", "t"),
    "page": ("page", "p"),
    "screen": ("screen", "s"),
    "alias": ("alias", "a"),
    # SDKs differ in the name they give to the same thing.
    BATCH: ("batch", "b", "import"),
}

_JITSU: Mapping[str | None, tuple[str, ...]] = {
    **{kind: _NAMES[kind] for kind in KINDS},
    None: ("event", "e"),  # a message that says its type itself
}


class Route(msgspec.Struct, frozen=True):
    path: str
    kind: str | None
    """The type of its messages; None where each message names its own."""
    dialect: Dialect | None = None
    """None for Segment's own HTTP API, the mother tongue."""

    @property
    def methods(self) -> tuple[str, ...]:
        return ("POST",) if self.dialect is None else self.dialect.methods


def _segment() -> Iterator[Route]:
    for kind, names in _NAMES.items():
        for name in names:
            yield Route(f"/v1/{name}", None if kind == BATCH else kind)


def _pixels() -> Iterator[Route]:
    for kind in KINDS:
        yield Route(f"/v1/pixel/{kind}", kind, Pixel(kind))


def _dopt() -> Iterator[Route]:
    yield Route("/identify", None, OneUser())
    yield Route("/identify/group", None, OneGroup())
    yield Route("/identify/batch", None, Users())
    yield Route("/identify/bulk", None, Users())
    yield Route("/identify/segment", None, FromSegment())


def _openpanel() -> Iterator[Route]:
    # Whoever hosted OpenPanel had its API under /api, and so has it in the `apiUrl` of the SDKs.
    for start in ("", "/api"):
        yield Route(f"{start}/track", None, Track())
        yield Route(f"{start}/track/device-id", None, DeviceId())
        yield Route(f"{start}/event", None, Event())
        yield Route(f"{start}/profile", None, Profile("identify"))
        for kind in ("increment", "decrement"):
            yield Route(f"{start}/profile/{kind}", None, Profile(kind))


def _rudder() -> Iterator[Route]:
    yield Route("/beacon/v1/batch", None)
    yield Route("/v1/merge", None, Merge())
    yield Route("/sourceConfig", None, SourceConfig())
    for kind in ("track", "page"):
        yield Route(f"/pixel/v1/{kind}", kind, RudderPixel(kind))


def _jitsu() -> Iterator[Route]:
    for start in ("/api/s", "/api/s/s2s"):
        yield Route(f"{start}/batch", None, Several())
        for kind, names in _JITSU.items():
            for name in names:
                yield Route(f"{start}/{name}", kind, One(kind))
    for kind, names in _JITSU.items():
        for name in names:
            yield Route(f"/api/px/{name}", kind, JitsuPixel(kind))


def _routes() -> Iterator[Route]:
    yield from _segment()
    yield from _pixels()
    yield from _dopt()
    yield from _openpanel()
    yield from _rudder()
    yield from _jitsu()


def _both_forms(routes: Iterator[Route]) -> Iterator[tuple[str, Route]]:
    """Paths are served with and without a slash at the end: SDKs lose or double messages on a redirect."""
    for route in routes:
        for path in (route.path, f"{route.path}/"):
            yield path, msgspec.structs.replace(route, path=path)


ROUTES = dict(_both_forms(_routes()))

_NOT_ALIASED = {"/track", "/identify"}
"""Of the paths without /v1, those that mean something else in other dialects."""


def _aliases() -> Iterator[tuple[str, Route]]:
    """The paths of clients whose host is set with too little of the path, or with too much."""
    starts = ("", "/v1/v1", "/v1/batch", "/v1/batch/v1")
    for route in _segment():
        name = route.path.removeprefix("/v1")
        for path in (f"{start}{name}" for start in starts):
            if path not in _NOT_ALIASED:
                yield path, route
                yield f"{path}/", route


ALIASES = {path: route for path, route in _aliases() if path not in ROUTES}

UNDER: tuple[tuple[str, Route], ...] = ((UNDER_IDENTIFY, Route("/identify/{identifier}", None, UserOfPath())),)
"""Routes for all paths that begin so; whatever ROUTES names goes before."""


def route_of(path: str) -> Route | None:
    """Where what is sent to this path goes; None when it takes no messages."""
    route = ROUTES.get(path) or ALIASES.get(path)
    if route is not None:
        return route
    return next((route for start, route in UNDER if path.startswith(start) and len(path) > len(start)), None)


def meant(path: str) -> str | None:
    """The route that somebody who posted to `path` was probably looking for."""
    parts = [part for part in re.split("/+", path.lower()) if part not in ("", "v1")]
    end = re.search("(/v1/[a-z]+)/?$", path.lower())  # a host with a path of its own
    wanted = ("/v1/" + "/".join(parts), end[1] if end else "")
    return next((route for route in wanted if route in ROUTES and route != path), None)
