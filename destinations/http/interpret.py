"""What an answer means for the requests it answers, when the vendor has no words of its own."""

from collections.abc import Sequence

from destinations.http.request import Answer, Request
from destinations.outcome import Deferred, Delivered, Outcome, Rejected, Scope

_LATER = frozenset({408, 423, 429})
_NEVER = frozenset({501})
_BARRED = frozenset({401, 403})
# Refusals of what was sent together that may be due to a single message.
_PERHAPS_ONE = frozenset({400, 413, 422})


def by_status(requests: Sequence[Request], answer: Answer) -> list[Outcome]:
    """One outcome for each request, from the status alone."""
    return [outcome_of(answer)] * len(requests)


def outcome_of(answer: Answer) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return Delivered()
    if status in _BARRED:
        return Deferred(_worded(answer, "the credentials are not accepted"), answer.retry_after, "settings")
    if 300 <= status < 400:
        return Rejected(f"answered {status}: redirects are not followed", str(status))
    if (400 <= status < 500 and status not in _LATER) or status in _NEVER:
        return Rejected(_worded(answer, answer.excerpt()), str(status))
    return Deferred(_worded(answer, answer.excerpt()), answer.retry_after, scope_of(answer))


def scope_of(answer: Answer) -> Scope:
    """Whom a failure is about, from the status: whichever message was asked about, some speak for all."""
    if answer.status in _BARRED:
        return "settings"
    return "destination" if answer.status == 429 else "message"


def may_be_one(answer: Answer) -> bool:
    """Whether sending less at a time may tell good messages from a bad one."""
    return answer.status in _PERHAPS_ONE


def _worded(answer: Answer, detail: str) -> str:
    return f"answered {answer.status}: {detail}" if detail else f"answered {answer.status}"
