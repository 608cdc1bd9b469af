"""Who is allowed to post: a client id, which is a write key, and a secret where the source wants one. Pure."""

import re
from hmac import compare_digest

import msgspec

from collector.auth import Grant, Keys
from collector.dialects.openpanel.payload import document
from collector.errors import BadBody, Unauthorized, UnknownKey
from collector.request import Request
from destinations.settings import Secret

_NO_ID = (
    "the request carries no client id: it goes into the header openpanel-client-id "
    "(this is OpenPanel's API; a message as Segment has them goes to /v1/track)"
)
_SECRET_PLACE = "it goes into the header openpanel-client-secret"  # noqa: S105  # words, no secret
_CREDENTIALS = re.compile(rb'("client(?:Id|Secret)"\s*:\s*)"(?:[^"\\]|\\.)*"?')


def outside(request: Request, keys: Keys) -> Grant | None:
    """The grant by a header, or by one of the places where other clients name their key."""
    named = _header(request, b"client-id")
    return keys.named(named) if named else keys.outside_body(request.headers, request.query)


def inside(text: bytes, keys: Keys) -> Grant:
    """The grant by the client id in the body."""
    named = document(text).get("clientId") if text else None
    if not isinstance(named, str) or not named:
        raise Unauthorized("missing_client_id", _NO_ID)
    return keys.named(named)


def check_secret(request: Request, text: bytes, secret: Secret | None) -> None:
    """Scripts of a site cannot keep a secret: their Origin is held against the source's `origins` instead."""
    if secret is None or b"origin" in request.headers:
        return
    given = _header(request, b"client-secret") or _in_body(text)
    if not compare_digest(given.encode("utf-8", "replace"), secret.reveal().encode()):
        if not given:
            raise Unauthorized("missing_client_secret", f"the client secret is missing: {_SECRET_PLACE}")
        # Whoever guesses is stopped as one who guesses keys.
        raise UnknownKey("wrong_client_secret", f"the client secret is wrong: {_SECRET_PLACE}")


def without_credentials(text: bytes) -> bytes:
    return _CREDENTIALS.sub(rb'\1"***"', text)


def _header(request: Request, name: bytes) -> str:
    """By its name of today, else by that of years ago."""
    return request.header(b"openpanel-" + name) or request.header(b"mixan-" + name)


def _in_body(text: bytes) -> str:
    try:
        secret = document(text).get("clientSecret") if text else ""
    except (BadBody, msgspec.DecodeError):
        return ""
    return secret if isinstance(secret, str) else ""
