"""One HTTP request as the edge sees it, before its body is read."""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.types import Scope

Headers = Mapping[bytes, bytes]


class Request(msgspec.Struct, frozen=True, gc=False):
    method: str
    path: str
    """Decoded, without the `root_path` under which the server is mounted."""
    raw_path: bytes
    """As it came, percent signs and all, without the query."""
    query: bytes
    headers: Headers
    """Names in lower case; of a header that came twice, the last, or all of them where they make one list."""
    peer: str
    """The address at the other end of the connection, which may be a proxy's; empty when it is not known."""
    scheme: str = "http"

    def header(self, name: bytes) -> str:
        """A header as text, without the space around it; empty when it is not there."""
        return self.headers.get(name, b"").decode("utf-8", "replace").strip()


_LISTS = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
"""Proxies add to these by another line as well as by another comma."""


def headers_of(scope: Scope) -> Headers:
    pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(pairs)
    if len(headers) != len(pairs):
        for name in _LISTS:
            if name in headers:
                headers[name] = b", ".join(value for key, value in pairs if key == name)
    return headers


def request_of(scope: Scope, headers: Headers) -> Request:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    client = scope.get("client")
    return Request(
        scope["method"],
        path.removeprefix(root) if root else path,
        scope.get("raw_path") or path.encode(),
        scope["query_string"],
        headers,
        client[0] if client else "",
        scope.get("scheme", "http"),
    )
