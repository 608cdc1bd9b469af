"""Keep what was said to a destination and what it answered, without its secrets and not at length."""

from collections.abc import Callable

import msgspec

from destinations.http.request import Answer, Request
from destinations.outcome import MOST_SAID, Deferred, Exchange, Outcome, Rejected
from destinations.values import Secret

# Whatever stands there gives access, whether or not it comes from the settings.
_KEYS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})

Redact = Callable[[str], str]


def exchange_of(request: Request, answer: Answer | None, took: float, redact: Redact) -> Exchange:
    """`took` is in seconds."""
    head = "\n".join([f"{request.method} {request.url}", *(_header(*header) for header in request.headers.items())])
    said = f"{head}\n\n{_text(request.body)}" if request.body else head
    answered = f"{answer.status}\n{_text(answer.body)}".rstrip() if answer else ""
    return Exchange(_cut(said, redact), _cut(answered, redact), int(took * 1000))


def with_exchange(outcome: Outcome, exchange: Exchange) -> Outcome:
    """The outcome with what led to it, where somebody may want to know."""
    if isinstance(outcome, Rejected | Deferred) and outcome.exchange is None:
        return msgspec.structs.replace(outcome, exchange=exchange)
    return outcome


def _header(name: str, value: str) -> str:
    return f"{name}: {Secret.mask if name.lower() in _KEYS else value}"


def _text(body: bytes) -> str:
    return body[:MOST_SAID].decode("utf-8", "replace")


def _cut(text: str, redact: Redact) -> str:
    """Masked before and after the cut, which may go through the middle of a secret."""
    whole = redact(text).encode()
    return redact(whole[:MOST_SAID].decode("utf-8", "ignore")) if len(whole) > MOST_SAID else whole.decode()
