"""Read a request's body, bounded in size and in time."""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive

from collector.errors import BadRequest, ClientGone, TooSlow

# The largest batch that SDKs make (475 KB) takes this long at 16 KB/s, a poor mobile connection.
BODY_SECONDS = 30.0


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int, seconds: float) -> bytes:
    """The body as sent. BadRequest past `limit` bytes, TooSlow past `seconds`, ClientGone if it never ends."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:19]) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _received(receive, limit)
    except TimeoutError:
        raise TooSlow("body_timeout", f"the body was not complete after {seconds:g} seconds") from None


async def _received(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        if not event.get("more_body", False):
            break
        chunks.append(chunk)
    return b"".join((*chunks, chunk)) if chunks else chunk


def too_large(limit: int) -> BadRequest:
    # 400, not 413: it is the one status on which every SDK stops sending the same body again.
    return BadRequest("payload_too_large", f"the body is larger than {limit} bytes")
