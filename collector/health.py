"""Tell a supervisor whether this process runs, a load balancer whether it can take messages."""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.log_port import Log, Spooled

_FRESH = (b"cache-control", b"no-store")
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(log: Log) -> list[Route]:
    return [Route("/health/live", _live), Route("/health/ready", _ready(log))]


async def _live(request: Request) -> Response:
    return answers.answer(200, b'{"status":"live"}', _FRESH).response()


def _ready(log: Log) -> Endpoint:
    async def ready(request: Request) -> Response:
        trouble = await log.trouble()
        if trouble is None:
            return answers.answer(200, _readiness(log.spooled()), _FRESH).response()
        words = f"messages cannot be taken now: {trouble}"
        return answers.problem(503, "not_ready", words, _FRESH, reasons=[trouble]).response()

    return ready


def _readiness(spooled: Spooled | None) -> bytes:
    """Ready is also who keeps messages on this machine until the log is back: then it says so."""
    found = {"status": "ready"} if spooled is None else {"status": "ready", "spool": spooled}
    return msgspec.json.encode(found)
