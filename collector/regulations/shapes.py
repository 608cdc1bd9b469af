"""What is told of wishes to be forgotten, in the shapes of Segment's Public API. Pure."""

from typing import Any

from schemas.dates import stamp
from worker.forgetting.report import Answered, Wish

_ANSWERS = {"done": "FINISHED", "not supported": "NOT_SUPPORTED", "failed": "FAILED"}


def regulation(wish: Wish) -> dict[str, Any]:
    """`subject` is a digest: the id itself is kept nowhere once all is done."""
    finished = {"finishedAt": stamp(wish.finished_ms)} if wish.finished_ms else {}
    answers = [_destination(one, finished) for one in wish.report.answers]
    return {
        "id": wish.id,
        "workspaceId": "turnout",
        "regulationType": wish.kind,
        "overallStatus": wish.state,
        "createdAt": stamp(wish.created_ms),
        **finished,
        "streamStatus": [{"id": "turnout", "destinationStatus": answers}] if answers else [],
        "subject": wish.subject,
        "removed": wish.report.removed,
        "left": wish.report.left,
    }


def suppression(digest: str, since_ms: int) -> dict[str, Any]:
    return {"subjectType": "USER_ID", "subjectIds": [digest], "since": stamp(since_ms)}


def _destination(answer: Answered, finished: dict[str, str]) -> dict[str, Any]:
    return {
        "name": answer.destination,
        "id": answer.destination,
        "status": _ANSWERS[answer.answer],
        "errString": answer.reason,
        **finished,
    }
