"""`POST /token`: an access token for a client that proves who it is."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.answers import Answer, Problem
from collector.cors import Header
from collector.errors import ClientGone, EdgeError
from collector.oauth.assertion import Refused, own_urls, proven
from collector.oauth.seen import Replayed, Seen, TooOften
from collector.oauth.terms import Terms
from collector.oauth.tokens import token_for
from collector.policy import Policy
from collector.reading import read_body
from collector.room import Room

# An address that ends in a slash gives two of them.
PATHS = ("/token", "//token", "/token/", "/v1/token", "/oauth2/token")
MOST_BYTES = 32_768
SECONDS = 10.0
SCOPE = "tracking_api:write"

_GRANT = "client_credentials"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FIELDS = 20
_room = Room(0)  # what comes here is small
_CLOSED = Problem(status=404, code="not_found", message="no access tokens are given here: no source asks for them")
_UNKEPT: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))


class Office:
    """Gives tokens by the policies in force. What it has seen outlives a change of the configuration."""

    def __init__(self, policies: Mapping[str, Policy], now: Callable[[], float]) -> None:
        self._terms = _all_terms(policies)
        self._now = now
        self._seen = Seen()

    def renew(self, policies: Mapping[str, Policy]) -> None:
        self._terms = _all_terms(policies)

    def is_open(self) -> bool:
        """Whether any source knows clients."""
        return bool(self._terms)

    def answer(self, form: bytes, host: str) -> Answer:
        now = self._now()
        try:
            assertion = _assertion(form)
            client = proven(assertion, self._terms, lambda terms: own_urls(terms, host), now)
            self._seen.note(client.client.id, client.jti, client.good_until, now)
        except Refused as refused:
            return _refusal(refused)
        except Replayed:
            return _refusal(Refused("invalid_client", "this assertion has been used before"))
        except TooOften as error:
            return _too_often(error.wait)
        token = {"access_token": token_for(client, now), "token_type": "Bearer", "expires_in": client.seconds}
        return answers.answer(200, msgspec.json.encode({**token, "scope": SCOPE}), *_UNKEPT)


def routes(office: Office) -> list[Route]:
    async def give(request: Request) -> Response:
        if not office.is_open():
            return answers.worded(_CLOSED).response()
        try:
            form = await read_body(request.receive, dict(request.headers.raw), MOST_BYTES, SECONDS, _room)
        except EdgeError as error:
            return answers.worded(answers.of_error(error)).response()
        except ClientGone:
            return Response()
        return office.answer(form, request.headers.get("host", "")).response()

    return [Route(path, give, methods=["POST"]) for path in PATHS]


def _all_terms(policies: Mapping[str, Policy]) -> tuple[Terms, ...]:
    return tuple(policy.oauth for policy in policies.values() if policy.oauth is not None)


def _assertion(form: bytes) -> str:
    """What the client signed. Raises Refused."""
    try:
        fields = dict(parse_qsl(form.decode(), max_num_fields=_FIELDS))
    except ValueError:
        raise Refused("invalid_request", "the body should be a form (application/x-www-form-urlencoded)") from None
    if (grant := fields.get("grant_type")) != _GRANT:
        if grant:
            raise Refused("unsupported_grant_type", f"`grant_type` should be {_GRANT}")
        raise Refused("invalid_request", f"the form should have `grant_type` {_GRANT}")
    if fields.get("client_assertion_type") != _ASSERTION:
        raise Refused("invalid_request", f"`client_assertion_type` should be {_ASSERTION}")
    if fields.get("scope", SCOPE) != SCOPE:
        raise Refused("invalid_scope", f"`scope` should be {SCOPE}")
    if not fields.get("client_assertion"):
        raise Refused("invalid_request", "the form should have `client_assertion`, a signed JWT")
    return fields["client_assertion"]


def _refusal(refused: Refused) -> Answer:
    said = {"error": refused.error, "error_description": refused.words}
    body = {**said, "success": False, "code": refused.error, "message": refused.words}
    return answers.answer(400, msgspec.json.encode(body), *_UNKEPT)


def _too_often(wait: int) -> Answer:
    words = "too many tokens were asked for; use the one that you have"
    said = {"error": "rate_limited", "error_description": words}
    body = {**said, "success": False, "code": "rate_limited", "message": words}
    # SDKs differ in which of the two they read.
    headers = (answers.retry_after(wait), (b"x-ratelimit-reset", str(wait).encode()))
    return answers.answer(429, msgspec.json.encode(body), *headers, *_UNKEPT)
