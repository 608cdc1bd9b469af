"""OpenPanel's API: `/track` of today, and the endpoints that its SDKs had before."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from collector import answers
from collector.accept import Refused
from collector.answers import Answer, Problem
from collector.auth import Grant, Keys
from collector.dialects.dialect import Dialect, Facts, Telling
from collector.dialects.openpanel import credentials, words
from collector.dialects.openpanel.payload import document, maybe_id, members, typed
from collector.dialects.openpanel.reading import telling, visitor
from collector.errors import BadBody, BadRequest
from collector.request import Request


class _OpenPanel(Dialect):
    """What all endpoints have in common."""

    def outside(self, request: Request, keys: Keys) -> Grant | None:
        return credentials.outside(request, keys)

    def inside(self, text: bytes, keys: Keys) -> Grant:
        return credentials.inside(text, keys)

    def read(self, request: Request, text: bytes, facts: Facts) -> Telling:
        credentials.check_secret(request, text, facts.policy.openpanel.secret)
        try:
            return self._told(request, text, facts)
        except BadBody as bad:
            if bad.legible is not None:
                raise
            raise BadBody(bad.code, bad.message, credentials.without_credentials(text)) from bad

    def stored(self, telling: Telling, accepted: int, refused: Sequence[Refused]) -> Answer:
        if refused and not accepted:
            return self.problem(answers.refused_message(refused[0].violations))
        return self._taken(telling, refused)

    def problem(self, problem: Problem) -> Answer:
        return words.failed(problem)

    def _told(self, request: Request, text: bytes, facts: Facts) -> Telling:
        raise NotImplementedError

    def _taken(self, telling: Telling, refused: Sequence[Refused]) -> Answer:
        """What of the telling was taken is stored."""
        return words.taken(telling.reply, refused)


class Track(_OpenPanel):
    """`POST /track`: everything, by its `type`."""

    def _told(self, request: Request, text: bytes, facts: Facts) -> Telling:
        return telling(request, text, facts, *typed(document(text)))


class DeviceId(_OpenPanel):
    """`GET /track/device-id`: which device and session the caller is."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)

    def _told(self, request: Request, text: bytes, facts: Facts) -> Telling:
        who = visitor(request, text, facts)
        if not who.address or not who.agent:
            raise BadRequest("unknown_device", "a device is known by its IP address and its user agent: one is missing")
        return Telling(messages=(), reply=who)

    def _taken(self, telling: Telling, refused: Sequence[Refused]) -> Answer:
        return words.device(telling.reply)

    def problem(self, problem: Problem) -> Answer:
        if problem.status == 400:
            return words.said(problem.status, problem.message)
        return super().problem(problem)


class Event(_OpenPanel):
    """`POST /event`, of the first SDKs: an event, answered by the word ok."""

    def _told(self, request: Request, text: bytes, facts: Facts) -> Telling:
        event = document(text)
        time = {"__timestamp": event["timestamp"]} if event.get("timestamp") else {}
        event["properties"] = {**time, **members(event, "properties")}
        return telling(request, text, facts, "track", event)

    def _taken(self, telling: Telling, refused: Sequence[Refused]) -> Answer:
        return words.said(202, "ok")


class Profile(_OpenPanel):
    """`POST /profile` and those below it, of the first SDKs: a bare payload, answered by the id of the profile."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def _told(self, request: Request, text: bytes, facts: Facts) -> Telling:
        payload: dict[str, Any] = document(text)
        told = telling(request, text, facts, self._kind, payload)
        return msgspec.structs.replace(told, reply=maybe_id(payload, "profileId"))

    def _taken(self, telling: Telling, refused: Sequence[Refused]) -> Answer:
        return words.said(202, telling.reply)
