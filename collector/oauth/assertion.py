"""Judge the signed assertion by which a client proves who it is (RFC 7523). Pure."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import jwt
import msgspec
from jwt.types import Options

from collector.oauth.keys import algorithms, public_key
from collector.oauth.terms import Client, Terms

LEEWAY = 60
"""Seconds by which the clocks of clients may differ from ours."""
LONGEST = 3_600
"""Seconds into the future that an assertion may be good for; for so long its id has to be remembered."""
LONGEST_ID = 200

# Times and audience are judged here: by our clock, and in words of which clients make something.
_SIGNATURE_ALONE: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}

EXPIRED = "Token is expired"
NOT_YET = "Token used before issued"
"""Python's SDK corrects its clock and asks again when it is told exactly these words as an `invalid_request`."""


class Refused(Exception):
    """Why no token is given, in the terms of RFC 6749."""

    def __init__(self, error: str, words: str) -> None:
        super().__init__(words)
        self.error = error
        self.words = words


class Proven(msgspec.Struct, frozen=True):
    """A client that has shown that it holds its key."""

    client: Client
    seconds: int
    """How long its access token is good."""
    terms: Terms
    jti: str
    good_until: int


def proven(assertion: str, known: Iterable[Terms], own: Callable[[Terms], Collection[str]], now: float) -> Proven:
    """Who signed the assertion. `own` knows the addresses that may be its audience. Raises Refused."""
    name, kid = _claimed(assertion)
    candidates = [(terms, client) for terms in known for client in terms.clients if client.id == name]
    fitting = [(terms, client) for terms, client in candidates if kid in (None, client.key_id) or client.key_id is None]
    for terms, client in fitting:
        claims = _verified(assertion, client)
        if claims is not None:
            jti, until = _checked(claims, own(terms), now)
            seconds = min(terms.seconds for terms, other in candidates if other.fingerprint == client.fingerprint)
            return Proven(client, seconds, terms, jti, until)
    # One answer for all three, so that nobody learns which clients there are.
    raise Refused("invalid_client", "the client is not known, or its key is not the one that signed the assertion")


def _claimed(assertion: str) -> tuple[object, object]:
    """The client and the key that an assertion names, before either is proven."""
    try:
        kid = jwt.get_unverified_header(assertion).get("kid")
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Refused("invalid_request", "`client_assertion` is not a signed JWT") from None
    return claims.get("sub"), kid


def _verified(assertion: str, client: Client) -> dict[str, Any] | None:
    key = public_key(client.pem)
    try:
        claims: dict[str, Any] = jwt.decode(assertion, key, algorithms=algorithms(key), options=_SIGNATURE_ALONE)
    except (jwt.PyJWTError, ValueError):
        return None
    return claims


def _checked(claims: dict[str, Any], own: Collection[str], now: float) -> tuple[str, int]:
    """The id of the assertion, and until when it is good. Raises Refused."""
    said = claims.get("aud")
    audiences = said if isinstance(said, list) else [said]
    if not any(isinstance(audience, str) and _plain(audience) in own for audience in audiences):
        raise Refused("invalid_client", "`aud` of the assertion is not the address of this server")
    issuer = claims.get("iss")
    if issuer is not None and issuer != claims["sub"] and not (isinstance(issuer, str) and _plain(issuer) in own):
        raise Refused("invalid_client", "`iss` of the assertion should be the client's id, as `sub` is")
    until = _moment(claims, "exp")
    if until + LEEWAY <= now:
        raise Refused("invalid_request", EXPIRED)
    if until > now + LONGEST + LEEWAY:
        raise Refused("invalid_request", f"`exp` of the assertion is more than {LONGEST} seconds ahead")
    for name in ("iat", "nbf"):
        if name in claims and _moment(claims, name) > now + LEEWAY:
            raise Refused("invalid_request", NOT_YET)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID:
        raise Refused("invalid_request", f"`jti` of the assertion should be a text of 1 to {LONGEST_ID} characters")
    return jti, int(until) + LEEWAY


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise Refused("invalid_request", f"`{name}` of the assertion should be a number of seconds since 1970")
    return value


def _plain(url: str) -> str:
    return url.rstrip("/").removesuffix("/token").rstrip("/").lower()


def own_urls(terms: Terms, host: str) -> frozenset[str]:
    """The addresses by which a client may have meant this server."""
    if terms.server.urls:
        return frozenset(_plain(url) for url in terms.server.urls)
    # A proxy in front may have ended the TLS: what came as http may have been sent as https.
    return frozenset(f"{scheme}://{host}".lower() for scheme in ("http", "https")) if host else frozenset()
