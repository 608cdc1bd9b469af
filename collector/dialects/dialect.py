"""What a dialect is: a way of asking Turnout to store messages, and of being answered.

A dialect is pure. It says which key a request names, turns a body into Segment-spec messages, and words the answer;
the path behind it, from the check of each message to the log, is the same for all. Where it says nothing of its own,
Segment's words hold.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from collector import answers
from collector.accept import Refused, Terms
from collector.answers import Answer, Problem
from collector.auth import Grant, Keys
from collector.policy import OPEN, Policy
from collector.provenance import Provenance
from collector.request import Request
from schemas.arrival import arrival
from schemas.errors import Violation
from schemas.limits import Limits


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect may want to know besides the request."""

    source: str
    received_ms: int
    address: str
    """The client's own, behind trusted proxies; empty when it is not known."""
    salt: Callable[[int], bytes]
    """The secret of the day (UTC) of a moment in ms; it is forgotten when the day is over."""
    policy: Policy = OPEN
    """What the source asks of those who post to it."""
    limits: Limits = Limits()


class Told(msgspec.Struct, frozen=True):
    """One message that a request tells."""

    place: int
    """Of the item in the request that it was made of; several messages may be of one item."""
    raw: bytes
    """The Segment-spec message, as JSON."""


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as Segment-spec messages."""

    messages: Sequence[Told]
    refused: Sequence[Refused] = ()
    """The items that no message could be made of. Their `index` is their place, their `raw` as it was sent."""
    sent_at: object = None
    """The client's clock, for messages that have none of their own."""
    context: Mapping[str, Any] | None = None
    """Goes under the context of every message."""
    reply: Any = None
    """What the dialect itself wants to remember for its answer."""


def alone(message: Mapping[str, Any], *, reply: Any = None) -> Telling:
    """The telling of a request that is one message."""
    return Telling(messages=(Told(0, msgspec.json.encode(message)),), reply=reply)


def refused_item(place: int, raw: bytes, *violations: Violation) -> Refused:
    """An item that no message can be made of."""
    return Refused(place, None, raw, violations)


def placed(telling: Telling, refused: Sequence[Refused]) -> list[Refused]:
    """Refused messages with the place of the item that each was made of."""
    return [msgspec.structs.replace(each, index=telling.messages[each.index].place) for each in refused]


def telling_terms(
    source: str,
    telling: Telling,
    received_ms: int,
    new_id: Callable[[], str],
    limits: Limits,
    provenance: Provenance,
) -> Terms:
    """What holds for all messages of a telling."""
    came = arrival(
        received_ms, sent_at=telling.sent_at, context=None if telling.context is None else dict(telling.context)
    )
    return Terms(source, came, new_id, limits, provenance)


class Dialect:
    """The mother tongue; others say what they do otherwise."""

    methods: ClassVar[tuple[str, ...]] = ("POST",)
    visited: ClassVar[bool] = False
    """Whether all its requests come from a visitor's own device, as an image's do."""

    def outside(self, request: Request, keys: Keys) -> Grant | None:
        """The grant by header or query; None when neither names a key. Raises Unauthorized for an unknown one."""
        return keys.outside_body(request.headers, request.query)

    def inside(self, text: bytes, keys: Keys) -> Grant:
        """The grant by a key in the body. Raises Unauthorized, or BadBody when it cannot be read."""
        return keys.inside_body(())

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        """What the request tells; `text` is its body, inflated. Raises BadBody when nothing can be made of it."""
        raise NotImplementedError

    def repaired(self, request: Request, raw: bytes) -> Telling | None:
        """What an item that `read` refused tells by now; None when this is a message, which needs no telling."""
        return None

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        """`accepted` messages are stored, and all of `refused` (by place) are kept for the operator."""
        if not refused:
            return answers.SUCCESS
        if not accepted and len(refused) == 1 and len(telling.messages) + len(telling.refused) == 1:
            return self.problem(answers.refused_message(refused[0].violations))
        if not accepted:
            return self.problem(answers.all_rejected(refused))
        return answers.refused_in_part(accepted, refused)

    def problem(self, problem: Problem) -> Answer:
        """Whatever went wrong, in the words of this dialect."""
        return answers.worded(problem)
