"""Serve the OpenAPI document of the configuration in force."""

from collections.abc import Callable
from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.openapi.document import document
from schemas.limits import Limits

PATH = "/openapi.json"


def routes(limits: Callable[[], Limits]) -> list[Route]:
    """`limits` tells those in force."""

    async def openapi(request: Request) -> Response:
        return Response(_written(limits()), media_type="application/json")

    return [Route(PATH, openapi)]


@lru_cache(maxsize=1)
def _written(limits: Limits) -> bytes:
    return msgspec.json.encode(document(limits))
