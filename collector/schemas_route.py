"""Serve the JSON Schemas that messages are held against."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas import catalog


def routes() -> list[Route]:
    return [Route("/schemas", _index), Route("/schemas/", _index), Route("/schemas/{name}.json", _schema)]


async def _index(request: Request) -> Response:
    places = {name: f"/schemas/{name}.json" for name in catalog.names()}
    told = {"schemas": places, "openapi": "/openapi.json"}
    return Response(msgspec.json.encode(told), media_type="application/json")


async def _schema(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in catalog.names():
        raise HTTPException(404)
    return Response(catalog.text(name), media_type="application/schema+json")
