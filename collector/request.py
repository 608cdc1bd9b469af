"""One HTTP request as the edge sees it, before its body is read."""

from collections.abc import Mapping

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
    """Names in lower case; of a header that came twice, the last."""
    peer: str
    """The address at the other end of the connection, which may be a proxy's; empty when it is not known."""
    scheme: str = "http"


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
