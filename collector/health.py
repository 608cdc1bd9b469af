"""Tell a supervisor whether this process runs, a load balancer whether it can take messages, people what is wrong."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import answers
from collector.answers import Problem
from collector.log_port import Log, Spooled
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
        Route("/health/alarms", _alarms(log, vitals)),
    ]


async def _live(request: Request) -> Response:
    return answers.answer(200, b'{"status":"live"}', _FRESH).response()


def _ready(log: Log, vitals: Vitals) -> Endpoint:
    """Only about taking messages: a collector goes on taking them while nobody delivers."""

    async def ready(request: Request) -> Response:
        trouble = await log.trouble()
        spooled = log.spooled()
        facts = {**vitals.facts(), **({} if spooled is None else {"spool": spooled})}
        if trouble is None:
            return answers.answer(200, msgspec.json.encode({"status": "ready", **facts}), _FRESH).response()
        words = f"messages cannot be taken now: {trouble}"
        more = {"reasons": [trouble], **facts}
        problem = Problem(status=503, code="not_ready", message=words, headers=(_FRESH,), more=more)
        return answers.worded(problem).response()

    return ready


def _alarms(log: Log, vitals: Vitals) -> Endpoint:
    async def alarms(request: Request) -> Response:
        found = [*_of_spool(log.spooled()), *await vitals.alarms()]
        return answers.answer(503 if found else 200, msgspec.json.encode({"alarms": found}), _FRESH).response()

    return alarms


def _of_spool(spooled: Spooled | None) -> Iterator[Alarm]:
    if spooled is not None:
        words = f"{spooled.messages} messages wait on the disk of this collector for the log: {spooled.reason}"
        since = None if spooled.since is None else max(0.0, time.time() - spooled.since)
        yield Alarm(kind="spool", what="spool", words=words, since=since)
