"""Under which address a browser reaches this collector, as far as its request tells."""

import re

from collector.request import Request
from collector.visitor import Proxies
from collector.visitor import outer_url as told_url

_LOOPBACK = re.compile(r"http://(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?", re.IGNORECASE)


def outer_url(request: Request, trusted: Proxies) -> str:
    """Scheme and host as the client sees them; empty when the request names no usable host."""
    url = told_url(request, trusted)
    if url.startswith("http://") and not _LOOPBACK.fullmatch(url) and _came_by_tls(request):
        return url.replace("http", "https", 1)
    return url


def _came_by_tls(request: Request) -> bool:
    """Whether a browser gives away that some proxy, which does not say so, took the TLS off.

    A page that came over https can ask only https, and browsers send Sec-Fetch-Site only where nobody listens.
    """
    return request.headers.get(b"origin", b"").startswith(b"https://") or b"sec-fetch-site" in request.headers
