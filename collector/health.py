"""Tell a supervisor whether this process runs, a load balancer whether it can take messages, people what is wrong."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.log_port import Log
from worker.alarms import Alarm

_FRESH = (b"cache-control", b"no-store")
Endpoint = Callable[[Request], Awaitable[Response]]


class Vitals(Protocol):
    """What a collector knows of itself and of the others."""

    def facts(self) -> Mapping[str, object]:
        """What /health/ready tells beside its verdict, without waiting for anybody."""

    async def alarms(self) -> Sequence[Alarm]:
        """What calls for somebody."""


class _Unwatched:
    """An edge on its own: it knows of nobody else."""

    def facts(self) -> Mapping[str, object]:
        return {}

    async def alarms(self) -> Sequence[Alarm]:
        return ()


UNWATCHED = _Unwatched()


def routes(log: Log, vitals: Vitals) -> list[Route]:
    return [
        Route("/health/live", _live),
        Route("/health/ready", _ready(log, vitals)),
        Route("/health/alarms", _alarms(vitals)),
    ]


async def _live(request: Request) -> Response:
    return answers.answer(200, b'{"status":"live"}', _FRESH).response()


def _ready(log: Log, vitals: Vitals) -> Endpoint:
    """Only about taking messages: a collector goes on taking them while nobody delivers."""

    async def ready(request: Request) -> Response:
        trouble = await log.trouble()
        facts = vitals.facts()
        if trouble is None:
            return answers.answer(200, msgspec.json.encode({"status": "ready", **facts}), _FRESH).response()
        words = f"messages cannot be taken now: {trouble}"
        return answers.problem(503, "not_ready", words, _FRESH, reasons=[trouble], **facts).response()

    return ready


def _alarms(vitals: Vitals) -> Endpoint:
    async def alarms(request: Request) -> Response:
        found = await vitals.alarms()
        return answers.answer(503 if found else 200, msgspec.json.encode({"alarms": found}), _FRESH).response()

    return alarms
