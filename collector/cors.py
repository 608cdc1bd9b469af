"""The headers that let a browser's script post here and read the answer."""

from collections.abc import Mapping

from starlette.types import Message, Send

Header = tuple[bytes, bytes]

METHODS = b"GET, POST, OPTIONS"
# A wildcard does not cover Authorization; these are named for clients that do not ask for theirs by name.
USUAL_HEADERS = b"authorization, content-type, x-write-key, x-retry-count"
_CREDENTIALS = (b"access-control-allow-credentials", b"true")
# Without it scripts cannot see how long they are asked to wait.
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset")
_VARY = (b"vary", b"Origin")
_CLOSED = ("/v1/spaces/",)
_MAX_AGE = (b"access-control-max-age", b"86400")  # browsers cut it to their own ceiling


def closed(path: str) -> bool:
    """Whether scripts have no business there: a token in a page would be everybody's."""
    return path.startswith(_CLOSED)


def answer_headers(origin: bytes) -> tuple[Header, ...]:
    # Any origin may post, also with `credentials: "include"`: a write key is public in browsers, and the collector
    # knows no cookies that a stranger's page could ride on.
    return ((b"access-control-allow-origin", origin), _CREDENTIALS, _EXPOSED, _VARY)


def preflight_headers(headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
    return (
        (b"access-control-allow-origin", headers.get(b"origin", b"*")),
        _CREDENTIALS,
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", headers.get(b"access-control-request-headers", USUAL_HEADERS)),
        _MAX_AGE,
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    )


def _joined(headers: list[Header]) -> list[Header]:
    """With one Vary of all that there are."""
    named = {
        word.strip().lower(): word.strip() for name, value in headers if name == b"vary" for word in value.split(b",")
    }
    return [*(header for header in headers if header[0] != b"vary"), (b"vary", b", ".join(named.values()))]


def opened(send: Send, origin: bytes) -> Send:
    """`send`, with the answer made readable for scripts of `origin`."""

    async def send_opened(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _joined([*message.get("headers", ()), *answer_headers(origin)])}
        await send(message)

    return send_opened
