"""Post every message, unchanged and signed, to a URL."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

from destinations.forgetting import Subject
from destinations.http.destination import Built, HttpDestination
from destinations.http.lanes import Packing
from destinations.http.request import Request, merged
from destinations.http.settings import HttpSettings
from destinations.http.values import HeaderName, HeaderValue, HttpUrl
from destinations.values import Secret
from schemas.envelope import Envelope

_OWN_HEADERS = frozenset({"x-signature", "x-turnout-signature", "x-message-id", "x-attempt", "x-turnout-replay"})
_IN_HEADER = "".join(char for char in map(chr, range(0x21, 0x7F)) if char != "%")


class WebhookSettings(HttpSettings, frozen=True):
    url: Annotated[HttpUrl, Meta(description="Where to send the messages.")]
    method: Annotated[Literal["POST", "PUT", "PATCH"], Meta(description="The HTTP method.")] = "POST"
    headers: Annotated[dict[HeaderName, HeaderValue], Meta(description="Headers to add to every request.")] = (
        msgspec.field(default_factory=dict)
    )
    secret: Annotated[Secret | None, Meta(description="Signs every request.")] = None
    batch_size: Annotated[
        int, Meta(ge=1, le=4_000, description="1: a message a request. More: JSON arrays of up to so many.")
    ] = 1
    deletions: Annotated[bool, Meta(description="Send a `delete` message for a user who is to be forgotten.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        taken = sorted(name for name in self.headers if name.lower() in _OWN_HEADERS)
        if taken:
            raise ValueError(f"headers: {', '.join(taken)} is set by Turnout itself")


class Webhook(HttpDestination[WebhookSettings]):
    shape = WebhookSettings

    def build(self, envelope: Envelope, settings: WebhookSettings) -> Built:
        headers = _headers(settings) | {"X-Attempt": str(envelope.attempt)}
        if envelope.replay:
            headers["X-Turnout-Replay"] = envelope.replay
        if settings.batch_size > 1:
            # What is replayed does not travel with what is not: the header holds for all of a request.
            batch = f"messages of {envelope.replay}" if envelope.replay else "messages"
            return Request(settings.method, settings.url, headers, envelope.body, batch=batch)
        headers["X-Message-Id"] = header_text(envelope.head.message_id)
        return Request(settings.method, settings.url, headers, envelope.body)

    def build_deletion(self, subject: Subject, settings: WebhookSettings) -> Sequence[Request] | None:
        if not settings.deletions:
            return None
        body = msgspec.json.encode({"type": "delete", "userId": subject.user_id, "timestamp": subject.at})
        return [Request(settings.method, settings.url, _headers(settings) | {"X-Attempt": "1"}, body)]

    def packing(self, settings: WebhookSettings) -> Packing:
        return Packing(settings.batch_size)

    def combine(self, requests: Sequence[Request], settings: WebhookSettings) -> Request:
        """The array counts as tried as often as the message that was tried most."""
        attempt = max(int(request.headers["X-Attempt"]) for request in requests)
        return super().combine(requests, settings).with_headers({"X-Attempt": str(attempt)})

    def seal(self, request: Request, settings: WebhookSettings, now: float) -> Request:
        if settings.secret is None:
            return request
        return request.with_headers(signatures(settings.secret.reveal().encode(), request.body, int(now)))


def _headers(settings: WebhookSettings) -> dict[str, str]:
    given = {str(name): value.reveal() for name, value in settings.headers.items()}
    return merged({"Content-Type": "application/json"}, given)


def signatures(secret: bytes, body: bytes, now: int) -> dict[str, str]:
    """Over the exact bytes of the body: Segment's header, and ours, which also dates it."""
    dated = hmac.new(secret, b"%d." % now + body, hashlib.sha256).hexdigest()
    return {
        "X-Signature": hmac.new(secret, body, hashlib.sha1).hexdigest(),
        "X-Turnout-Signature": f"t={now},v1={dated}",
    }


def header_text(message_id: str) -> str:
    """The id as it is; what a header cannot hold, and the percent sign, is percent-encoded."""
    return quote(message_id, safe=_IN_HEADER, errors="replace")
