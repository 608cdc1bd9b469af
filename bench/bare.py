"""The reference for single messages: a bare Starlette app that decodes the same body, and nothing else."""

import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

decode = msgspec.json.Decoder().decode


async def track(request: Request) -> JSONResponse:
    decode(await request.body())
    return JSONResponse({"success": True})


if __name__ == "__main__":
    app = Starlette(routes=[Route("/v1/track", track, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
