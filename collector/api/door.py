"""Let those in who have a token of the API, as often as they may come."""

import binascii
import math
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response

from collector import answers
from collector.api.errors import ApiError, NotAllowed, TooOften
from collector.api.settings import ApiSettings
from collector.errors import TooMany, UnknownKey
from collector.meters import Bucket, Guesses
from collector.policy import Rate
from collector.request import Request, headers_of, request_of
from collector.visitor import NO_PROXIES, Proxies, address_of

CLOSED = ApiSettings()

_NO_TOKENS = "nobody may ask here: the configuration has no [api] tokens"
_NO_TOKEN = "the request carries no token: send it as the user name of Basic authentication, or as a Bearer token"  # noqa: S105
_UNKNOWN = UnknownKey("unknown_token", "this is no token of the API; a write key is none either")

Ask = Callable[[HTTPRequest], Awaitable[Response]]


class Door:
    """Holds for every route of the API. How often each token came outlives a change of the configuration."""

    def __init__(self, settings: ApiSettings, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.settings = settings
        self._now = now
        self._new_id = new_id
        self._buckets: dict[str, Bucket] = {}
        self.renew(settings)

    def renew(self, settings: ApiSettings) -> None:
        self.settings = settings
        self._tokens = {token.reveal() for token in settings.tokens}
        self._buckets = {token: bucket for token, bucket in self._buckets.items() if token in self._tokens}

    def admit(self, request: Request, guesses: Guesses, trusted: Proxies) -> None:
        """Raises NotAllowed or TooOften."""
        if not self._tokens:
            raise NotAllowed(_NO_TOKENS)
        token = _token_of(request.headers.get(b"authorization", b""))
        if not token:
            raise NotAllowed(_NO_TOKEN)
        # A plain look-up gives nothing away by its timing: see `collector.auth`.
        if token not in self._tokens:
            judged = guesses.judged(_UNKNOWN, address_of(request, trusted))
            if isinstance(judged, TooMany):
                raise TooOften(judged.message, judged.wait)
            raise NotAllowed(judged.message)
        self._meter(token)

    def _meter(self, token: str) -> None:
        now, rate = self._now(), Rate(messages=self.settings.rate)
        bucket = self._buckets.get(token)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[token] = Bucket(rate, now)
        wait = bucket.take(1, now)
        if wait > 0:
            raise TooOften(f"at most {self.settings.rate:g} requests a second with one token", math.ceil(wait))

    def answered(self, error: ApiError) -> Response:
        """The error as a client of Segment's API expects it."""
        body = msgspec.json.encode({"error": {"code": error.code, "message": error.message}})
        response = Response(body, error.status, media_type="application/json")
        if error.wait is not None:
            for name, value in answers.waits(error.wait):
                response.headers[name.decode()] = value.decode()
        if isinstance(error, NotAllowed):
            response.headers["www-authenticate"] = 'Basic realm="turnout"'
        return response

    def signed(self, response: Response) -> Response:
        """With what every answer of the API has."""
        response.headers["request-id"] = self._new_id()
        response.headers["cache-control"] = "no-store"
        return response


class Gate:
    """The door, as the routes use it."""

    def __init__(self, door: Door, guesses: Guesses, trusted: Callable[[], Proxies] = lambda: NO_PROXIES) -> None:
        self._door = door
        self._guesses = guesses
        self._trusted = trusted

    @property
    def settings(self) -> ApiSettings:
        return self._door.settings

    def guarded(self, ask: Ask) -> Ask:
        """An endpoint that answers those with a token."""

        async def answer(asked: HTTPRequest) -> Response:
            try:
                request = request_of(asked.scope, headers_of(asked.scope))
                self._door.admit(request, self._guesses, self._trusted())
                return self._door.signed(await ask(asked))
            except ApiError as error:
                return self._door.signed(self._door.answered(error))

        return answer


def _token_of(authorization: bytes) -> str:
    """By Basic authentication, whose password does not count, or as a Bearer token; "" where there is none."""
    scheme, _, said = authorization.strip().partition(b" ")
    said = said.strip()
    match scheme.lower():
        case b"bearer":
            return said.decode("ascii", "replace")
        case b"basic":
            try:
                padded = said + b"=" * (-len(said) % 4)
                return binascii.a2b_base64(padded, strict_mode=True).decode().partition(":")[0]
            except ValueError:
                return ""
        case _:
            return ""
