"""Where a client on this machine finds the collector, and whether it is at work there."""

import http.client
import ssl
from urllib.parse import urlsplit

from collector.config import CollectorSettings

LIVE = "/health/live"


def url_of(settings: CollectorSettings) -> str:
    """The one that this configuration leads to."""
    host = reachable(settings.host)
    scheme = "http" if settings.tls is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def reachable(host: str) -> str:
    """Where a client on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # compared, not bound


def answers(url: str) -> bool:
    """Whether a collector is at work there. That somebody listens says nothing: that is ourselves."""
    connection = _connection(url)
    try:
        connection.request("GET", LIVE)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=0.5)
    # Nothing secret is said. A certificate that has run out is no reason to take our own collector for dead.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port, timeout=2.0, context=context)
