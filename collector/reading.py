"""Read a request's body, bounded in size and in time."""

import asyncio
from collections.abc import Coroutine, Generator, Mapping
from types import coroutine
from typing import Any

from starlette.types import Receive

from collector.connections import Connections
from collector.errors import BadRequest, ClientGone, TooSlow
from collector.room import SMALL, Room

BODY_SECONDS = float(Connections().body)


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int, seconds: float, room: Room) -> bytes:
    """The body as sent.

    BadRequest past `limit` bytes, TooSlow past `seconds`, Crowded where there is no room, ClientGone if it never ends.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:19]) > limit:
        raise too_large(limit)
    body = _received(receive, limit, room)
    try:
        awaited = body.send(None)
    except StopIteration as complete:
        # Nearly every body is there already, and setting a clock costs more than reading it.
        whole: bytes = complete.value
        return whole
    try:
        async with asyncio.timeout(seconds):
            return await _resumed(body, awaited)
    except TimeoutError:
        raise TooSlow("body_timeout", f"the body was not complete after {seconds:g} seconds") from None


async def _received(receive: Receive, limit: int, room: Room) -> bytes:
    chunks: list[bytes] = []
    size = counted = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        if size > SMALL:
            room.hold(size - counted)
            counted = size
        if not event.get("more_body", False):
            break
        chunks.append(chunk)
    return b"".join((*chunks, chunk)) if chunks else chunk


@coroutine
def _resumed(begun: Coroutine[Any, Any, bytes], awaited: Any) -> Generator[Any, Any, bytes]:
    """The rest of a coroutine that has begun, and waits for `awaited`."""
    try:
        yield awaited
    except BaseException:
        begun.close()
        raise
    return (yield from begun.__await__())


def too_large(limit: int) -> BadRequest:
    # 400, not 413: it is the one status on which every SDK stops sending the same body again.
    return BadRequest("payload_too_large", f"the body is larger than {limit} bytes")
