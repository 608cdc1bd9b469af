"""Where SDKs send figures about themselves: taken politely, and kept nowhere."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.errors import ClientGone, EdgeError
from collector.reading import read_body
from collector.room import Room

PATHS = ("/v1/m", "/m", "/v1/v1/m", "/v1/batch/m", "/rsaMetrics")
"""Segment's, also as clients with a mis-set host spell it, and RudderStack's."""

MOST_BYTES = 65_536
SECONDS = 5.0
_room = Room(0)  # what comes here is small


def routes() -> list[Route]:
    return [Route(form, _thank, methods=["POST"]) for path in PATHS for form in (path, f"{path}/")]


async def _thank(request: Request) -> Response:
    """No key is asked for: AJS2 sends none."""
    headers = dict(request.headers.raw)
    try:
        await read_body(request.receive, headers, MOST_BYTES, SECONDS, _room)
    except EdgeError as error:
        return answers.worded(answers.of_error(error)).response()
    except ClientGone:
        pass
    return answers.SUCCESS.response()
