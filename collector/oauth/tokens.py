"""Make access tokens, and say of one that came with messages whether it lets them in. Pure."""

from typing import Any

import jwt

from collector.errors import EdgeError, Unauthorized
from collector.oauth.assertion import Proven
from collector.oauth.terms import Terms
from collector.request import Headers

_ALGORITHM = "HS256"
_AUDIENCE = "turnout"


class Expired(EdgeError):
    """The token was good once. On this status SDKs get another one and send the same messages again."""

    status = 511


def token_for(proven: Proven, now: float) -> str:
    """It names the key by which it was got: where that is taken out of a source, the token opens it no more."""
    claims = {
        "aud": _AUDIENCE,
        "sub": proven.client.id,
        "key": proven.client.fingerprint,
        "iat": int(now),
        "exp": int(now) + proven.seconds,
    }
    return jwt.encode(claims, proven.terms.server.secret.reveal(), algorithm=_ALGORITHM)


def admit(terms: Terms, headers: Headers, now: float) -> None:
    """Return if a request may bring messages to the source with these terms. Raises Unauthorized or Expired."""
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    if scheme.lower() != b"bearer":
        if terms.required:
            raise Unauthorized("token_missing", "this source takes messages with an access token only: see /token")
        return
    claims = _claims(terms, token.strip())
    if claims is None:
        raise Unauthorized("invalid_token", "the access token is not one of this server")
    if not any((one.id, one.fingerprint) == (claims["sub"], claims["key"]) for one in terms.clients):
        raise Unauthorized("token_of_another_source", "the access token is not for the source of this write key")
    if claims["exp"] <= now:
        raise Expired("token_expired", "the access token has expired; get another one from /token")


def _claims(terms: Terms, token: bytes) -> dict[str, Any] | None:
    """What one of our tokens says, expired or not."""
    server = terms.server
    for secret in (server.secret, server.secret_before):
        if secret is None:
            continue
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                secret.reveal(),
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # Its time is held against our clock, by `admit`.
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "key", "exp"]},
            )
        except (jwt.PyJWTError, ValueError):
            continue
        return claims
    return None
