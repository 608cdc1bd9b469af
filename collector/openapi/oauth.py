"""OAuth: how a client gets the access token that some sources ask for."""

from collector.oauth import token_route
from collector.openapi.parts import TEXT, WHOLE, Chapter, Json, Operation, answered, record, reply, shape
from collector.openapi.shared import said_by
from schemas.limits import Limits

_FORM: Json = record(
    {
        "grant_type": {"const": "client_credentials"},
        "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        "client_assertion": {**TEXT, "minLength": 1, "description": "A JWT that is signed with the client's key."},
    },
    scope={"const": token_route.SCOPE},
)
_SCHEMAS: dict[str, Json] = {
    "Token": record(
        {"access_token": TEXT, "token_type": {"const": "Bearer"}, "expires_in": {**WHOLE, "description": "Seconds."}},
        scope=TEXT,
    ),
    "OAuthProblem": record({"error": TEXT, "error_description": TEXT}, code=TEXT, message=TEXT),
}


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="OAuth",
        about="A source may ask its clients for an access token besides the write key.",
        page="oauth.md",
        operations=(_token(),),
        schemas=_SCHEMAS,
        security={
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token from /token. It goes with a write key elsewhere in the request.",
            }
        },
    )


def _token() -> Operation:
    main, *others = token_route.PATHS
    refused = {"anyOf": [shape("OAuthProblem"), shape("Problem")]}
    return Operation(
        path=main,
        also=tuple(others),
        name="token",
        summary="An access token for a client that proves who it is",
        about="The form of RFC 6749, section 4.4, with the assertion of RFC 7523. There is nothing here while no "
        f"source knows clients. At most {token_route.MOST_BYTES:,} bytes.",
        body={"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}},
        replies={
            200: reply("The token.", shape("Token"), "Cache-Control"),
            400: reply("Nobody is proven by this.", refused),
            404: answered("Hidden"),
            429: reply("Too many tokens are asked for.", shape("OAuthProblem"), "Retry-After", "X-RateLimit-Reset"),
            503: said_by("Segment")[503],
        },
    )
