"""Jitsu's API: one message to each request, its type in the path, or several in a batch."""

from collections.abc import Sequence
from typing import Any

import msgspec

from collector import answers, decoding
from collector.accept import Refused
from collector.answers import Answer, Problem
from collector.auth import Grant, Keys
from collector.dialects.dialect import Dialect, Facts, Telling, Told, alone
from collector.dialects.pixel import Pixel, write_key
from collector.request import Request

MASKED = "***"
"""Ends the key that clients write into their messages; the whole key is in a header."""

_OK = answers.answer(200, b'{"ok":true}')
_encode = msgspec.json.Encoder().encode


class Jitsu(Dialect):
    """The words that all of its answers have in common."""

    def problem(self, problem: Problem) -> Answer:
        said = {"ok": False, "code": problem.code, "message": problem.message, "error": problem.message}
        return answers.answer(problem.status, _encode({**said, **problem.more}), *problem.headers)


class One(Jitsu):
    """A message; `kind` is None where it names its own type."""

    def __init__(self, kind: str | None) -> None:
        self._kind = kind

    def inside(self, text: bytes, keys: Keys) -> Grant:
        return keys.inside_body(_unmasked(decoding.write_key(text)))

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        message = decoding.members(text, "the body should be one message, an object")
        return alone(message if self._kind is None else {**message, "type": self._kind})

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        return super().stored(telling, accepted, refused) if refused else _OK


class Several(Jitsu):
    """A batch, each message judged alone; the answer counts those that are stored."""

    def inside(self, text: bytes, keys: Keys) -> Grant:
        return keys.inside_body(key for named in decoding.write_keys(decoding.batch(text)) for key in _unmasked(named))

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        envelope = decoding.batch(text)
        batch = decoding.messages(envelope, len(text), facts.limits)
        messages = [Told(place, bytes(raw)) for place, raw in enumerate(batch)]
        context = decoding.member(envelope.context, facts.limits)
        return Telling(
            messages=messages, sent_at=envelope.sent_at, context=context if context.__class__ is dict else None
        )

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        errors = [_told(each) for each in refused]
        counts = {"receivedEvents": len(telling.messages), "okEvents": accepted, "errors": errors}
        return answers.answer(200 if accepted else 400, _encode({"ok": not refused, **counts}))


class JitsuPixel(Pixel):
    """The key may stand in a header or in the query besides.

    A parameter that asks to be sent elsewhere is not followed: anybody could lend our name to any address by it.
    """

    def outside(self, request: Request, keys: Keys) -> Grant | None:
        grant = keys.outside_body(request.headers, request.query)
        if grant is not None:
            return grant
        return keys.inside_body(_unmasked(write_key(request.query)))

    def meant(self, message: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in message.items() if name not in ("writekey", "redirect")}


def _unmasked(named: object) -> tuple[object, ...]:
    """The key, unless all that is left of it is its beginning."""
    return () if isinstance(named, str) and named.endswith(MASKED) else (named,)


def _told(refused: Refused) -> str:
    name = "" if refused.message_id is None else f" ({refused.message_id})"
    return f"message {refused.index}{name}: {refused.violations[0].sentence()}"
