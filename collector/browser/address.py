"""Under which address a client reaches this collector, as far as its request tells."""

import re

from collector.request import Request

_HOST = re.compile(rb"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_LOOPBACK = re.compile(r"(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?", re.IGNORECASE)


def outer_url(request: Request) -> str | None:
    """Scheme and host as the client sees them; None when the request names no usable host."""
    host = request.headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        return None
    name = host.decode()
    return f"{'https' if _is_secure(request, name) else 'http'}://{name}"


def _is_secure(request: Request, host: str) -> bool:
    if request.scheme == "https":
        return True
    if _LOOPBACK.fullmatch(host):
        return False
    # Some proxy took the TLS off and does not say so, but the browser gives it away: a page that came over https can
    # ask only https, and browsers send Sec-Fetch-Site only where nobody listens.
    headers = request.headers
    return headers.get(b"origin", b"").startswith(b"https://") or b"sec-fetch-site" in headers
