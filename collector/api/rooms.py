"""Open the rooms behind the door of the API when somebody comes who may enter.

What they are made of, the databases above all, takes half a second to import, and most collectors are never asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.api.door import Gate
from collector.profiles.asked import COLLECTION, PROFILE, QUESTIONS
from worker.config import Config

PATHS = {
    COLLECTION: ["GET"],
    **{f"{PROFILE}/{question}": ["GET"] for question in QUESTIONS},
    "/regulations": ["GET", "POST"],
    "/regulations/{id}": ["GET"],
    "/suppressions": ["GET"],
}
"""Everything that lies behind the door, with its methods."""

FURNISHED = "collector.api.furnished"


class Furnished(Protocol):
    """The rooms themselves."""

    def routes(self, gate: Gate, now: Callable[[], float]) -> list[Route]: ...
    def follow(self, config: Config) -> None: ...
    def close(self) -> None: ...


class Rooms:
    """`furnished`: rooms that stand open already."""

    def __init__(self, config: Config | None = None, furnished: Furnished | None = None) -> None:
        self._config = config or Config()
        self._furnished = furnished
        self._opening = asyncio.Lock()

    def follow(self, config: Config) -> None:
        self._config = config
        if self._furnished is not None:
            self._furnished.follow(config)

    def close(self) -> None:
        if self._furnished is not None:
            self._furnished.close()

    def routes(self, gate: Gate, now: Callable[[], float]) -> list[Route]:
        entrance = _Entrance(gate, lambda: self._open(gate, now))
        return [Route(path, entrance, methods=methods) for path, methods in PATHS.items()]

    async def _open(self, gate: Gate, now: Callable[[], float]) -> ASGIApp:
        async with self._opening:
            if self._furnished is None:
                module = await asyncio.to_thread(import_module, FURNISHED)
                self._furnished = module.Furniture(self._config)
        return Router(self._furnished.routes(gate, now), redirect_slashes=False)


class _Entrance:
    """All paths lead here first."""

    def __init__(self, gate: Gate, opened: Callable[[], Awaitable[ASGIApp]]) -> None:
        self._turned_away = gate.guarded(_nobody)
        self._gate = gate
        self._opened = opened
        self._inside: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._inside is None and not self._gate.settings.tokens:
            await (await self._turned_away(Request(scope)))(scope, receive, send)
            return
        self._inside = self._inside or await self._opened()
        await self._inside(scope, receive, send)


async def _nobody(request: Request) -> Response:
    """Without tokens nobody gets so far."""
    return Response(status_code=404)
